import type { App } from "../../context.ts";
import type { Tx } from "../../db/database.ts";
import type { FoundNumber } from "../../numbers/find-number.ts";
import { findWorkspaceById } from "../../workspaces/find.ts";
import type { IntegrationRow } from "../integration-row.ts";
import { wantAssistant } from "./bring-assistant.ts";
import { toEngineNumber, wantNumber } from "./bring-number.ts";
import { type EntryRow, isTaken, type WantedEntry } from "./engine-entry.ts";

/** Of everything that the engine is to have, whether it has, and what it said when it was told last. */
export async function findParts(app: App, tx: Tx, row: IntegrationRow, number: FoundNumber | undefined) {
  const workspace = await findWorkspaceById(tx, row.workspace_id);
  const wanted: Record<EntryRow["kind"], WantedEntry | null> = {
    assistant: workspace === undefined ? null : wantAssistant(app, row, workspace.slug),
    number: number === undefined ? null : await wantNumber(app, tx, row, toEngineNumber(number)),
  };
  const subjects = { assistant: row.id, number: String(row.number_id) };
  const found = await tx
    .selectFrom("voice_engine_entries")
    .select(["kind", "engine", "applied", "error"])
    .where("kind", "in", ["assistant", "number"])
    .where("subject", "in", [subjects.assistant, subjects.number])
    .execute();
  return (["assistant", "number"] as const).flatMap((kind) => {
    const part = wanted[kind];
    if (part === null) return [];
    const entry = found.find((one) => one.kind === kind);
    return [{ isTaken: entry !== undefined && isTaken(entry, part), error: entry?.error ?? null }];
  });
}
