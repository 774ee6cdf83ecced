import type { Tx } from "../db/database.ts";
import { type ContactIdentity, normalizeIdentities } from "./contact-identity.ts";

/**
 * A person is not recognised by this any longer: a phone number that they gave up is given to somebody else one day,
 * who must not find their conversations.
 */
export async function releaseIdentity(
  tx: Tx,
  workspaceId: number,
  contactId: string,
  identity: ContactIdentity,
): Promise<void> {
  for (const { kind, value } of normalizeIdentities([identity])) {
    await tx
      .deleteFrom("contact_identities")
      .where("workspace_id", "=", workspaceId)
      .where("contact_id", "=", contactId)
      .where("kind", "=", kind)
      .where("value", "=", value)
      .execute();
  }
}
