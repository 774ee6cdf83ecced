import { z } from "zod";
import type {
  BusinessAccount,
  BusinessToken,
  MediaFacts,
  MessengerNumber,
  TokenFacts,
} from "../../ports/messenger.ts";
import { badAnswer } from "./convert-error.ts";

const text = z.string().nullish().catch(null);

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().optional() });

const debugSchema = z.object({
  data: z.object({
    app_id: z.string().default(""),
    is_valid: z.boolean(),
    expires_at: z.number().optional(),
    scopes: z.array(z.string()).default([]),
    granular_scopes: z
      .array(z.object({ scope: z.string(), target_ids: z.array(z.string()).default([]) }))
      .default([]),
  }),
});

const accountSchema = z.object({
  id: z.string(),
  name: text,
  owner_business_info: z.object({ id: text }).nullish().catch(null),
});

const numberSchema = z.object({
  id: z.string(),
  display_phone_number: z.string(),
  verified_name: text,
  code_verification_status: text,
  name_status: text,
  status: text,
  quality_rating: text,
  platform_type: text,
  throughput: z.object({ level: text }).nullish().catch(null),
  is_on_biz_app: z.boolean().default(false),
});

const numbersSchema = z.object({
  data: z.array(numberSchema),
  paging: z
    .object({ cursors: z.object({ after: z.string().optional() }).optional(), next: z.string().optional() })
    .optional(),
});

const mediaSchema = z.object({
  url: z.url(),
  mime_type: z.string(),
  sha256: text,
  file_size: z.coerce.number().nullish().catch(null),
});

const healthSchema = z.object({ health_status: z.record(z.string(), z.unknown()).nullish() });
const successSchema = z.object({ success: z.literal(true) });
const syncSchema = z.object({ request_id: z.string() });
const sentSchema = z.object({ messages: z.tuple([z.object({ id: z.string().min(1) })]) });

/** `fields` that {@link readNumbers} reads. */
export const NUMBER_FIELDS = Object.keys(numberSchema.shape).join(",");

export function readToken(json: unknown): BusinessToken {
  const { access_token, expires_in } = read(tokenSchema, json, "holds no token");
  return { accessToken: access_token, expiresInSeconds: expires_in ?? null };
}

export function readTokenFacts(json: unknown): TokenFacts {
  const { data } = read(debugSchema, json, "does not say what the token is good for");
  const targets = data.granular_scopes
    .filter(({ scope }) => scope.startsWith("whatsapp_business_"))
    .flatMap(({ target_ids }) => target_ids);
  return {
    appId: data.app_id,
    isValid: data.is_valid,
    expiresAt: data.expires_at ? new Date(data.expires_at * 1000) : null,
    scopes: data.scopes,
    wabaIds: [...new Set(targets)],
  };
}

export function readAccount(json: unknown): BusinessAccount {
  const { id, name, owner_business_info } = read(accountSchema, json, "holds no business account");
  return { id, name: name ?? null, ownerBusinessId: owner_business_info?.id ?? null };
}

/** @returns `after` as null on the last page */
export function readNumbers(json: unknown): { numbers: MessengerNumber[]; after: string | null } {
  const { data, paging } = read(numbersSchema, json, "holds no list of numbers");
  // Meta gives a cursor on the last page, too; only `next` says that more follows.
  return { numbers: data.map(numberOf), after: paging?.next === undefined ? null : cursorOf(paging) };
}

function cursorOf({ cursors, next = "" }: { cursors?: { after?: string }; next?: string }): string {
  const after = cursors?.after ?? (URL.canParse(next) ? new URL(next).searchParams.get("after") : null);
  if (!after) throw badAnswer("says that more follows, and not where");
  return after;
}

export function readHealth(json: unknown): Record<string, unknown> | null {
  return read(healthSchema, json, "holds no health").health_status ?? null;
}

export function readSuccess(json: unknown): void {
  read(successSchema, json, "does not say that it was done");
}

export function readSync(json: unknown): string {
  return read(syncSchema, json, "does not name the request").request_id;
}

export function readSent(json: unknown): string {
  return read(sentSchema, json, "does not name the message").messages[0].id;
}

export function readMedia(json: unknown): MediaFacts {
  const { url, mime_type, sha256, file_size } = read(mediaSchema, json, "holds no link to the media");
  return { url, mimeType: mime_type, sha256: sha256 ?? null, sizeBytes: file_size ?? null };
}

function numberOf(number: z.output<typeof numberSchema>): MessengerNumber {
  return {
    id: number.id,
    displayPhoneNumber: number.display_phone_number,
    verifiedName: number.verified_name ?? null,
    codeVerificationStatus: number.code_verification_status ?? null,
    nameStatus: number.name_status ?? null,
    status: number.status ?? null,
    qualityRating: number.quality_rating ?? null,
    platformType: number.platform_type ?? null,
    throughput: number.throughput?.level ?? null,
    isOnBusinessApp: number.is_on_biz_app,
  };
}

function read<Schema extends z.ZodType>(schema: Schema, json: unknown, problem: string): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw badAnswer(problem);
  return parsed.data;
}
