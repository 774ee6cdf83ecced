import type { ContactPart, KnownPerson } from "../conversations/contact-part.ts";
import type { Tx } from "../db/database.ts";
import { slugsOf } from "../workspaces/find.ts";
import { selectShown } from "./list-calls.ts";
import { toCallLog } from "./show-call.ts";

/** A person's calls: those from and to their numbers, and those whose conversations are theirs. */
export const callsOfPerson: ContactPart = {
  name: "calls",
  async export(_app, tx, person) {
    const ids = await idsOf(tx, person);
    if (ids.length === 0) return [];
    const slug = (await slugsOf(tx, [person.workspaceId])).get(person.workspaceId) ?? "";
    const rows = await selectShown(tx).where("calls.id", "in", ids).orderBy("calls.id").execute();
    return rows.map((row) => toCallLog(row, slug));
  },
  async erase(tx, person) {
    const ids = await idsOf(tx, person);
    // Transcripts and events go with them.
    if (ids.length > 0) await tx.deleteFrom("calls").where("id", "in", ids).execute();
    return ids.length;
  },
};

/** A call's conversation is opened under the call's id; one in which nobody spoke has none. */
async function idsOf(tx: Tx, { workspaceId, phones, conversations }: KnownPerson): Promise<string[]> {
  const spoken = conversations.flatMap(({ channel, sessionId }) =>
    channel === "voice" && sessionId !== null && UUID.test(sessionId) ? [sessionId] : [],
  );
  if (phones.length === 0 && spoken.length === 0) return [];
  const rows = await tx
    .selectFrom("calls")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where((eb) =>
      eb.or([
        ...(phones.length > 0 ? [eb("caller_number", "in", [...phones])] : []),
        ...(spoken.length > 0 ? [eb("id", "in", spoken)] : []),
      ]),
    )
    .execute();
  return rows.map(({ id }) => id);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
