import { createHash, randomUUID } from "node:crypto";
import type { AssistantFields } from "./vapi-schemas.ts";

export type VapiAssistant = AssistantFields & {
  id: string;
  orgId: string;
  createdAt: string;
  updatedAt: string;
};

export type VapiPhoneNumber = {
  id: string;
  orgId: string;
  provider: "twilio" | "vapi";
  number: string;
  name?: string | undefined;
  assistantId?: string | null | undefined;
  twilioAccountSid?: string | undefined;
  /** Whether Vapi takes the number's messages, too. */
  smsEnabled?: boolean | undefined;
  status: "active";
  createdAt: string;
  updatedAt: string;
};

export type VapiState = {
  apiKey: string;
  orgId: string;
  assistants: VapiAssistant[];
  numbers: VapiPhoneNumber[];
  /** As `GET /call/:id` answers them. */
  calls: Map<string, object>;
  /** Tokens of Twilio accounts that it reaches, by their ids. */
  twilioAccounts: Map<string, string>;
  /** Runs when an assistant is made, before that is answered. */
  afterCreate: () => Promise<void>;
};

export function newVapiState(apiKey: string): VapiState {
  return {
    apiKey,
    orgId: randomUUID(),
    assistants: [],
    numbers: [],
    calls: new Map(),
    twilioAccounts: new Map(),
    afterCreate: async () => undefined,
  };
}

let last = 0;

/** No two things were ever made in the same millisecond here: lists are paged by it. */
export function newRecord(state: VapiState) {
  last = Math.max(Date.now(), last + 1);
  const createdAt = new Date(last).toISOString();
  return { id: randomUUID(), orgId: state.orgId, createdAt, updatedAt: createdAt };
}

/** What Vapi shows in the place of a secret. */
export function masked(secret: string): string {
  return `***${createHash("sha256").update(secret).digest("hex").slice(0, 4)}`;
}
