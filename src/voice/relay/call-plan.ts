import type { App } from "../../context.ts";
import { resolveContact } from "../../conversations/resolve-contact.ts";
import type { AccountCaller } from "../../http/caller.ts";
import { appendCallEvents } from "../append-call-events.ts";
import type { CallOwner } from "../call-row.ts";
import type { CallSettings } from "../turn/call-state.ts";
import { spokenInstructions } from "../turn/spoken-instructions.ts";
import { readCallToken } from "./call-token.ts";
import { findCall, type KnownCall } from "./find-called.ts";
import { type CarrierName, languagesOf, type RelayConfiguration } from "./relay-attributes.ts";

/** All that a call is held with. */
export interface CallPlan {
  callId: string;
  /** How often its line was opened before. */
  attempt: number;
  owner: CallOwner;
  caller: AccountCaller;
  workspaceSlug: string;
  /** The person, where the number is shown. */
  contactId: string | null;
  instructions: string;
  settings: CallSettings;
}

/**
 * Answers a call on the line that was opened for it: once, only for the call that the token names, and only while it
 * still rings. `null`: nothing of the kind; nothing is told of why.
 */
export async function answerLine(
  app: App,
  carrier: CarrierName,
  given: { token: string; callSid: string },
): Promise<CallPlan | null> {
  const pass = readCallToken(app, given.token);
  if (pass === null) return null;
  const call = await findCall(app, pass.callId);
  if (call?.configuration == null || call.provider !== carrier || call.providerCallId !== given.callSid)
    return null;
  const { callId, attempt } = pass;
  const { isLive, written } = await appendCallEvents(app, call.owner, callId, [
    { kind: "answered", at: app.now(), key: "answered" },
  ]);
  // Somebody has answered with this token, or with an earlier one.
  if (!isLive || written === 0) return null;
  return planOf(app, { callId, attempt }, call, call.configuration, await contactOf(app, call));
}

function planOf(
  app: App,
  { callId, attempt }: { callId: string; attempt: number },
  { owner, workspaceSlug }: KnownCall,
  configuration: RelayConfiguration,
  contactId: string | null,
): CallPlan {
  const { firstMessage: greeting } = configuration;
  return {
    callId,
    attempt,
    owner,
    caller: {
      partnerId: owner.partnerId,
      accountId: owner.accountId,
      workspaceId: owner.workspaceId,
      actor: { kind: "system", id: null },
      requestId: `call-${callId}`,
    },
    workspaceSlug,
    contactId,
    instructions: instructionsOf(configuration, greeting),
    settings: { greeting, ...languagesOf(configuration), waits: app.callWaits },
  };
}

function instructionsOf({ prompt }: RelayConfiguration, greeting: string): string {
  const spoken = spokenInstructions(greeting);
  return prompt.trim() === "" ? spoken : `${prompt.trim()}\n\n${spoken}`;
}

/** A call goes on without a contact, too. */
async function contactOf(app: App, { owner, from }: KnownCall): Promise<string | null> {
  if (from === null) return null;
  const identity = { kind: "phone", value: from } as const;
  return app.db
    .asTenant(owner, (tx) => resolveContact(app, tx, owner, [identity]))
    .catch((error: unknown) => {
      app.log.warn({ error, workspaceId: owner.workspaceId }, "a caller's contact could not be found");
      return null;
    });
}
