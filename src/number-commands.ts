import type { z } from "zod";
import { type Command, type CommandInput, required, uuid, wholeNumber } from "./command-input.ts";
import type { App } from "./context.ts";
import { Problem } from "./http/problem.ts";
import { attachNumber } from "./numbers/attach.ts";
import {
  decideRequest,
  listAllNumbers,
  listAllRequests,
  type Operator,
  provisionRequest,
} from "./numbers/fulfil.ts";
import {
  AdminNumberQuery,
  AdminRequestQuery,
  ApproveNumberRequest,
  AttachNumber,
  ProvisionNumberRequest,
  RefuseNumberRequest,
  RequireAction,
} from "./numbers/numbers.schemas.ts";
import { releaseNumber } from "./numbers/release.ts";
import type { RequestMove } from "./numbers/request-states.ts";

/** As many as the API lists at once. */
const MOST = "500";

/** Requests for numbers, and the numbers: what `/v1/admin` offers, for people who are at the machine. */
export const numberCommands: Readonly<Record<string, Command>> = {
  "numbers requests": {
    usage: "[--status <status>] [--partner <id>]",
    options: ["status", "partner"],
    required: [],
    run: listRequests,
  },
  "numbers list": {
    usage: "[--scope pool|assigned|all] [--status active|releasing|released]",
    options: ["scope", "status"],
    required: [],
    run: async (app, input) =>
      (await listAllNumbers(app, checked(AdminNumberQuery, { ...input, limit: MOST }))).numbers,
  },
  "numbers review": moving({ usage: "" }, () => ({ to: "in_review" })),
  "numbers approve": moving({ usage: "[--reason <text>]", may: ["reason"] }, ({ reason }) => ({
    to: "approved",
    ...checked(ApproveNumberRequest, { reason }),
  })),
  "numbers reject": moving({ usage: "--reason <text>", must: ["reason"] }, ({ reason }) => ({
    to: "rejected",
    ...checked(RefuseNumberRequest, { reason }),
  })),
  "numbers ask": moving(
    { usage: "--reason <text> [--next-step <text>]", must: ["reason"], may: ["next-step"] },
    ({ reason, "next-step": next_step }) => {
      const asked = checked(RequireAction, { reason, next_step });
      return { to: "action_required", reason: asked.reason, nextStep: asked.next_step };
    },
  ),
  "numbers fail": moving({ usage: "--reason <text>", must: ["reason"] }, ({ reason }) => ({
    to: "failed",
    ...checked(RefuseNumberRequest, { reason }),
  })),
  "numbers attach": {
    usage: "<request id> --number <+49…> [--sms yes|no]",
    options: ["id", "number", "sms"],
    required: ["id", "number"],
    run: async (app, input) =>
      (
        await attachNumber(
          app,
          operator(app),
          requestId(input),
          checked(AttachNumber, { number: input.number, sms: yesOrNo(input.sms) }),
        )
      ).number_request,
  },
  "numbers provision": {
    usage: "<request id> [--bundle <BU…>] [--address <AD…>]",
    options: ["id", "bundle", "address"],
    required: ["id"],
    run: async (app, input) => {
      const papers = checked(ProvisionNumberRequest, {
        bundle_sid: input.bundle,
        address_sid: input.address,
      });
      return (await provisionRequest(app, operator(app), requestId(input), papers)).number_request;
    },
  },
  "numbers release": {
    usage: "<number id>",
    options: ["id"],
    required: ["id"],
    run: async (app, input) => (await releaseNumber(app, operator(app), wholeNumber(input, "id"))).number,
  },
};

/** A command that moves a request, with the options that it must and may have. */
function moving(
  { usage, must = [], may = [] }: { usage: string; must?: readonly string[]; may?: readonly string[] },
  moveOf: (input: CommandInput) => Omit<RequestMove, "by">,
): Command {
  return {
    usage: `<request id> ${usage}`.trimEnd(),
    options: ["id", ...must, ...may],
    required: ["id", ...must],
    run: async (app, input) =>
      (await decideRequest(app, operator(app), requestId(input), moveOf(input))).number_request,
  };
}

async function listRequests(app: App, { status, partner }: CommandInput): Promise<unknown> {
  const query = checked(AdminRequestQuery, { status, partner_id: partner, limit: MOST });
  const { number_requests: requests } = await listAllRequests(app, query);
  return requests.map(({ numbers, history: _, ...request }) => ({
    ...request,
    numbers: numbers.map(({ number }) => number),
  }));
}

/** Acts for nobody in particular: whose request it is, the request says. */
function operator(app: App): Operator {
  return { actor: { kind: "superadmin", id: null }, requestId: `cli-${app.newId()}` };
}

function requestId(input: CommandInput): string {
  return uuid(required(input, "id"), "--id");
}

function yesOrNo(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === "yes" || text === "no") return text === "yes";
  throw new Problem("invalid_request", `--sms takes yes or no, not "${text}".`);
}

/** What was typed, by the rules of the API. */
function checked<T>(schema: z.ZodType<T>, typed: Record<string, unknown>): T {
  const read = schema.safeParse(
    Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined)),
  );
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Problem("invalid_request", `${issue?.path.join(".")}: ${issue?.message}.`);
}
