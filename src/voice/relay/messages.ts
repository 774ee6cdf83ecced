import { z } from "zod";

/**
 * What carriers send over a ConversationRelay line. They add fields as they like; types that we do not know are left.
 * Browsers send the same, and `hang-up`, so that they are told of the end before they close the line.
 */
const RelayMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("setup"),
    sessionId: z.string().max(200).default(""),
    callSid: z.string().max(200),
    customParameters: z.record(z.string(), z.string()).nullish(),
  }),
  z.object({
    type: z.literal("prompt"),
    voicePrompt: z.string().default(""),
    lang: z.string().max(40).nullish(),
    last: z.boolean().default(true),
  }),
  z.object({ type: z.literal("interrupt"), utteranceUntilInterrupt: z.string().default("") }),
  z.object({ type: z.literal("dtmf"), digit: z.string().regex(/^[0-9*#A-D]$/) }),
  z.object({ type: z.literal("hang-up") }),
  z.object({ type: z.literal("error"), description: z.string().default("") }),
]);
export type RelayMessage = z.output<typeof RelayMessage>;

/** What we send. */
export type RelayCommand =
  | { type: "text"; token: string; last: boolean }
  | { type: "language"; ttsLanguage: string; transcriptionLanguage: string }
  | { type: "end"; handoffData?: string };

/** `undefined`: nothing that we understand. */
export function readRelayMessage(text: string): RelayMessage | undefined {
  try {
    return RelayMessage.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
