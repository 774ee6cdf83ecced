import { issueKey } from "./admin/issue-key.ts";
import { type Command, type CommandInput, operator, required, uuid, wholeNumber } from "./command-input.ts";
import type { App } from "./context.ts";
import { Problem } from "./http/problem.ts";
import { resealModelProviders } from "./models/models.service.ts";
import { numberCommands } from "./number-commands.ts";
import { setStorageQuota } from "./organizations/organizations.service.ts";
import { createAdminKey, listKeys, revokeKey } from "./partners/keys.service.ts";
import { createPartner, listPartners } from "./partners/partners.service.ts";
import { resealTools } from "./tools/tools.service.ts";
import { resealWebhookSecrets } from "./webhooks/endpoint-secret.ts";
import { resealWhatsApp } from "./whatsapp/maintain-secrets.ts";

export const commands: Readonly<Record<string, Command>> = {
  "partners create": {
    usage: "--name <name>",
    options: ["name"],
    required: ["name"],
    run: (app, input) => createPartner(app, required(input, "name")),
  },
  "partners list": { usage: "", options: [], required: [], run: (app) => listPartners(app) },
  "keys create": {
    usage:
      "--partner <id> [--name <name>] [--scopes a:read,b:write] [--account <id> [--workspace <slug>]] [--expires <date or 30d>]",
    options: ["partner", "name", "scopes", "account", "workspace", "expires"],
    required: ["partner"],
    run: issueNamedKey,
  },
  "keys list": {
    usage: "--partner <id>",
    options: ["partner"],
    required: ["partner"],
    run: (app, input) => listKeys(app, partnerOf(input)),
  },
  "keys revoke": {
    usage: "--partner <id> --id <key id>",
    options: ["partner", "id"],
    required: ["partner", "id"],
    run: (app, input) => revokeKey(app, operator(app, partnerOf(input)), uuid(required(input, "id"), "--id")),
  },
  "admin-key create": {
    usage: "[--name <name>]",
    options: ["name"],
    required: [],
    run: (app, input) => createAdminKey(app, input.name),
  },
  "organizations quota": {
    usage: "--organization <id> --megabytes <number, or default>",
    options: ["organization", "megabytes"],
    required: ["organization", "megabytes"],
    run: (app, input) => setStorageQuota(app, wholeNumber(input, "organization"), parseQuota(input)),
  },
  ...numberCommands,
  "rotate-secrets": {
    usage: "",
    options: [],
    required: [],
    run: async (app) => ({
      resealed: {
        tools: await resealTools(app),
        model_providers: await resealModelProviders(app),
        webhook_endpoints: await resealWebhookSecrets(app),
        whatsapp_connections: await resealWhatsApp(app),
      },
    }),
  },
};

async function issueNamedKey(app: App, input: CommandInput): Promise<unknown> {
  return issueKey(app, operator(app, partnerOf(input)), {
    name: input.name,
    scopes: input.scopes?.split(",").map((scope) => scope.trim()),
    accountId: input.account === undefined ? undefined : uuid(input.account, "--account"),
    workspaceSlug: input.workspace,
    expiresAt: input.expires === undefined ? undefined : parseExpiry(app, input.expires),
  });
}

function partnerOf(input: CommandInput): string {
  return uuid(required(input, "partner"), "--partner");
}

function parseQuota(input: CommandInput): number | null {
  return input.megabytes === "default" ? null : wholeNumber(input, "megabytes") * 1024 * 1024;
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseExpiry(app: App, text: string): Date {
  const [, amount, unit = ""] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const date =
    amount === undefined
      ? new Date(text)
      : new Date(app.now().getTime() + Number(amount) * (UNIT_MS[unit] ?? 0));
  if (Number.isNaN(date.getTime())) {
    throw new Problem(
      "invalid_request",
      `--expires takes a date such as 2027-01-31 or a time such as 30d, not "${text}".`,
    );
  }
  return date;
}
