import type { App } from "../../context.ts";
import { resolveContact } from "../../conversations/resolve-contact.ts";
import type { AccountCaller } from "../../http/caller.ts";
import { appendCallEvents } from "../append-call-events.ts";
import type { CallOwner } from "../call-row.ts";
import { openCall } from "../open-call.ts";
import type { CallSettings } from "../turn/call-state.ts";
import { spokenInstructions } from "../turn/spoken-instructions.ts";
import { readCallToken } from "./call-token.ts";
import { findAnswering, findCall, type KnownCall } from "./find-called.ts";
import { type CarrierName, languagesOf, type RelayConfiguration } from "./relay-attributes.ts";
import { readTestCallToken } from "./test-call-token.ts";

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
  /** Where a human answers; null: nobody is dialled. */
  handoffNumber: string | null;
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

/**
 * Answers somebody who tries an assistant in a browser: once for each token, whose call rings and is answered in the
 * same moment. Nobody is dialled; otherwise it is a call like any other. `null`: as in {@link answerLine}.
 */
export async function answerTestCall(app: App, token: string): Promise<CallPlan | null> {
  const pass = readTestCallToken(app, token);
  if (pass === null) return null;
  const answering = await findAnswering(app, pass.owner);
  if (answering === undefined) return null;
  const { owner, integrationId, version } = answering;
  const { id: callId, isNew } = await openCall(app, owner, {
    direction: "inbound",
    provider: "browser",
    providerCallId: pass.tokenId,
    from: null,
    to: null,
    numberId: null,
    configuration: { integrationId, version },
    startedAt: app.now(),
  });
  // It has been used.
  if (!isNew) return null;
  await appendCallEvents(app, owner, callId, [{ kind: "answered", at: app.now(), key: "answered" }]);
  const call = await findCall(app, callId);
  if (call?.configuration == null) return null;
  const plan = planOf(app, { callId, attempt: 0 }, call, call.configuration, null);
  return { ...plan, handoffNumber: null };
}

function planOf(
  app: App,
  { callId, attempt }: { callId: string; attempt: number },
  { owner, workspaceSlug, handoffNumber }: KnownCall,
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
    handoffNumber,
    settings: {
      greeting,
      ...languagesOf(configuration),
      canTransfer: handoffNumber !== null,
      waits: app.callWaits,
    },
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
