import type { Selectable } from "kysely";
import { z } from "zod";
import type { App, ChatVendor } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import { CHAT_PROVIDERS, type ChatProvider } from "../ports/chat-model.ts";
import type { ModelTables } from "./models.tables.ts";

export type ModelProviderRow = Selectable<ModelTables["model_providers"]>;

/** Providers that can be called without a key, and those whose address cannot be guessed. */
export const KEYLESS: readonly ChatProvider[] = ["openai-compatible", "ollama"];
export const ADDRESS_NEEDED: readonly ChatProvider[] = ["openai-compatible", "ollama", "azure"];

const ModelNames = z.array(z.string()).nullable();

/** The organization's own vendors. */
export const selectVendors = fixedQuery((db: Tx, organizationId: number) =>
  db.selectFrom("model_providers").selectAll().where("organization_id", "=", organizationId),
);

/** What may be asked as `provider`: with the organization's own credentials, else with the installation's. */
export function vendorFor(
  app: App,
  rows: readonly ModelProviderRow[],
  provider: ChatProvider,
): ChatVendor | undefined {
  const row = rows.find((one) => one.provider === provider);
  return row === undefined ? installedVendor(app, provider) : organizationVendor(app, row);
}

/** Models that the organization listed itself; null: it did not. */
export function listedModels(rows: readonly ModelProviderRow[], provider: string): readonly string[] | null {
  return ModelNames.parse(rows.find((row) => row.provider === provider)?.models ?? null);
}

export function purposeOf(row: Pick<ModelProviderRow, "organization_id" | "provider">): string {
  return `model-provider:${row.organization_id}:${row.provider}`;
}

function organizationVendor(app: App, row: ModelProviderRow): ChatVendor | undefined {
  const provider = CHAT_PROVIDERS.find((known) => known === row.provider);
  if (provider === undefined) return undefined;
  return {
    provider,
    key: `${row.organization_id}/${provider}`,
    version: row.version,
    settings: () => ({
      baseUrl: row.base_url,
      apiKey: row.api_key === null ? null : app.secrets.open(row.api_key, purposeOf(row)),
      contextTokens: row.context_tokens ?? app.config.llm?.contextTokens ?? null,
      maxOutputTokens: row.max_output_tokens ?? app.config.llm?.maxOutputTokens ?? null,
      fetchPublic: row.base_url === null ? null : app.fetchPublic,
    }),
  };
}

/** The operator's own address may be a private one. */
function installedVendor({ config: { llm } }: App, provider: ChatProvider): ChatVendor | undefined {
  if (llm?.provider !== provider) return undefined;
  return {
    provider,
    key: `installation/${provider}`,
    version: "",
    settings: () => ({
      baseUrl: llm.baseUrl ?? null,
      apiKey: llm.apiKey ?? null,
      contextTokens: llm.contextTokens ?? null,
      maxOutputTokens: llm.maxOutputTokens ?? null,
      fetchPublic: null,
    }),
  };
}
