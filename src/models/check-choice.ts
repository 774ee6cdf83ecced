import type { App, ChatVendor } from "../context.ts";
import type { Tenant } from "../db/database.ts";
import { Problem } from "../http/problem.ts";
import { CHAT_PROVIDERS } from "../ports/chat-model.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { chosen } from "./resolve.ts";
import { listedModels, type ModelProviderRow, selectVendors, vendorFor } from "./vendors.ts";

/** What a workspace would use after a change, and the fields that say so. */
export interface ChoiceToCheck {
  provider: string | null;
  model: string | null;
  fields: { provider: string; model: string };
}

const NAMED_MAX = 20;

/**
 * Refuses a provider without credentials and a model that it does not offer. It asks the provider, so it must not be
 * called inside a transaction.
 *
 * @throws Problem `invalid_request`; `provider_failed` or `provider_timeout` when the provider cannot be asked
 */
export async function checkModelChoices(
  app: App,
  tenant: Tenant,
  organizationId: number,
  choices: readonly ChoiceToCheck[],
): Promise<void> {
  const made = choices.filter(({ provider, model }) => provider !== null || model !== null);
  if (made.length === 0) return;
  const rows = await app.db.readAsTenant<ModelProviderRow>(tenant, (db) => selectVendors(db, organizationId));
  for (const choice of made) await checkChoice(app, rows, choice);
}

async function checkChoice(
  app: App,
  rows: readonly ModelProviderRow[],
  choice: ChoiceToCheck,
): Promise<void> {
  const { fields } = choice;
  const named = choice.provider ?? app.config.llm?.provider;
  if (named === undefined)
    throw wrong(fields.model, `needs ${fields.provider}: the installation has no model of its own`);
  const provider = CHAT_PROVIDERS.find((known) => known === named);
  const vendor = provider === undefined ? undefined : vendorFor(app, rows, provider);
  if (vendor === undefined) {
    const remedy = "give the organization some with POST /v1/org/{orgSlug}/model-providers";
    throw wrong(fields.provider, `there are no credentials for ${named}: ${remedy}`);
  }
  const picked = chosen(app, rows, choice);
  if (picked === undefined) throw wrong(fields.model, `must name one of ${named}'s models`);
  const known = listedModels(rows, named) ?? (await askVendor(app, vendor, picked.model, fields.provider));
  if (known !== null && !known.some((name) => isNamed(name, picked.model))) {
    const some = known.slice(0, NAMED_MAX).join(", ");
    throw wrong(fields.model, `${named} offers no model "${picked.model}"; it has ${some || "none"}`);
  }
}

/** Vendors list dated releases and take their names without the date, too. */
function isNamed(listed: string, model: string): boolean {
  const undated = model.replace(/-latest$/, "");
  return (
    listed === model || (listed.startsWith(`${undated}-`) && /^\d{4}/.test(listed.slice(undated.length + 1)))
  );
}

/** What the operator has configured needs no asking. */
async function askVendor(app: App, vendor: ChatVendor, model: string, field: string) {
  const { llm } = app.config;
  const own = [llm, ...(llm?.fallbacks ?? [])].some(
    (one) => one?.provider === vendor.provider && one.model === model,
  );
  if (own && vendor.version === "") return null;
  try {
    return await app.models.list(vendor);
  } catch (error) {
    throw listProblem(app, error, vendor.provider, field);
  }
}

function listProblem(app: App, error: unknown, provider: string, field: string): unknown {
  if (!(error instanceof ProviderError)) return error;
  if (error.code === "unauthorized")
    return wrong(field, `${provider} refuses the stored credentials: save them anew`);
  if (error.code === "address_refused")
    return wrong(field, `the base_url of ${provider} cannot be called: ${error.message}`);
  app.log.warn({ error }, "a model provider could not be asked for its models");
  if (error.code === "timeout")
    return new Problem("provider_timeout", `${provider} did not answer in time. Try again.`);
  return new Problem("provider_failed", `${provider} could not be asked for its models. Try again.`);
}

function wrong(field: string, message: string): Problem {
  const path = `body.${field}`;
  return new Problem("invalid_request", `${path}: ${message.replace(/\.$/, "")}.`, {
    details: [{ path, message }],
  });
}
