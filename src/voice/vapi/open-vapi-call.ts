import type { App } from "../../context.ts";
import { type OpenedCall, openCall } from "../open-call.ts";
import type { VapiAssistant } from "./find-assistant.ts";
import { factsOf, type VapiCall } from "./vapi-call.ts";

/** As the call log names who holds these calls. */
export const PROVIDER = "vapi";

/** Writes a call of Vapi's into the log, unless it is there; whatever is heard of it first. */
export async function openVapiCall(
  app: App,
  { owner, integrationId, version, numberId }: VapiAssistant,
  call: VapiCall,
): Promise<OpenedCall> {
  const { direction, from, to, startedAt } = factsOf(call);
  return openCall(app, owner, {
    direction,
    provider: PROVIDER,
    providerCallId: call.id,
    from,
    to,
    numberId,
    configuration: { integrationId, version },
    startedAt: startedAt ?? app.now(),
  });
}
