import type { App } from "../context.ts";
import type { Tenant } from "../db/database.ts";
import { CHAT_PROVIDERS, type ChatModel } from "../ports/chat-model.ts";
import { listedModels, type ModelProviderRow, selectVendors, vendorFor } from "./vendors.ts";

/** A workspace's choice; null: the installation's. */
export interface ModelChoice {
  organizationId: number;
  provider: string | null;
  model: string | null;
}

/**
 * The models to ask, in this order: the chosen one, then the installation's fall-backs. An organization's own
 * credentials come before the installation's. What nobody has credentials for is left out; with none left, answers are
 * extractive. One read; adapters are kept until the credentials change.
 */
export async function resolveChatModels(app: App, tenant: Tenant, choice: ModelChoice): Promise<ChatModel[]> {
  const rows = await app.db.readAsTenant<ModelProviderRow>(tenant, (db) =>
    selectVendors(db, choice.organizationId),
  );
  return modelsFor(app, rows, choice);
}

/** The same for an organization that is known to have no credentials of its own: nothing needs to be read. */
export function resolveInstalledModels(app: App, choice: Omit<ModelChoice, "organizationId">): ChatModel[] {
  return modelsFor(app, [], choice);
}

function modelsFor(
  app: App,
  rows: readonly ModelProviderRow[],
  choice: Omit<ModelChoice, "organizationId">,
): ChatModel[] {
  const wanted = [chosen(app, rows, choice), ...(app.config.llm?.fallbacks ?? [])];
  const models = wanted.flatMap((one) => {
    const provider = CHAT_PROVIDERS.find((known) => known === one?.provider);
    const vendor = provider === undefined ? undefined : vendorFor(app, rows, provider);
    return vendor === undefined || one === undefined ? [] : [app.models.open(vendor, one.model)];
  });
  return [...new Set(models)];
}

/**
 * Where only the provider is chosen, its model is the installation's, if the organization's list has it, or the first
 * of that list.
 */
export function chosen(
  { config: { llm } }: App,
  rows: readonly ModelProviderRow[],
  { provider, model }: Pick<ModelChoice, "provider" | "model">,
): { provider: string; model: string } | undefined {
  const named = provider ?? llm?.provider;
  if (named === undefined) return undefined;
  const listed = listedModels(rows, named);
  const installed = llm?.provider === named ? llm.model : undefined;
  const usual = installed !== undefined && (listed?.includes(installed) ?? true) ? installed : listed?.[0];
  const name = model ?? usual;
  return name === undefined ? undefined : { provider: named, model: name };
}
