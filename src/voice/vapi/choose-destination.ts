import type { App } from "../../context.ts";
import { appendCallEvents } from "../append-call-events.ts";
import { readCallEvents } from "../call-row.ts";
import { findWantedTransfer } from "../project-transfer.ts";
import type { KnownCall } from "../relay/find-called.ts";

/** What Vapi is told when it asks whom to put a caller through to. Source: the types of `@vapi-ai/server-sdk` 2.0.1. */
export type TransferAnswer =
  | { destination: { type: "number"; number: string; message: ""; callerId?: string } }
  /** Told to whoever answers for the assistant, which is us. */
  | { error: string };

/** Whom a caller is put through to whose answer was to transfer the call. Asked again, it answers the same. */
export async function chooseDestination(
  app: App,
  { id, owner, to, handoffNumber }: KnownCall & { id: string },
): Promise<TransferAnswer> {
  const wanted = await app.db.asTenant(owner, async (tx) => findWantedTransfer(await readCallEvents(tx, id)));
  const number = wanted?.dialed ?? handoffNumber;
  if (wanted === null || wanted.isOver || number === null) {
    app.log.warn(
      { callId: id, workspaceId: owner.workspaceId },
      "a caller could not be put through any more",
    );
    return { error: "Nobody can take this call just now." };
  }
  await appendCallEvents(app, owner, id, [
    { kind: "transfer_dialed", at: app.now(), to: number, key: "transfer" },
  ]);
  // The caller has heard of it. The human sees the number that was called, as behind our own engine.
  return { destination: { type: "number", number, message: "", ...(to === null ? {} : { callerId: to }) } };
}
