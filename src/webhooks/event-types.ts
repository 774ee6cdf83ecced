/** What partners can be told of, and when each is sent. */
export const EVENT_TYPES = [
  "document.embedded",
  "document.failed",
  "number_request.updated",
  "call.ended",
  "call.finalized",
  "whatsapp.connected",
  "whatsapp.disconnected",
  "whatsapp.reauth_required",
  "conversation.handoff_requested",
  "endpoint.disabled",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];
