import { z } from "zod";

/** What a custom model streams back, as OpenAI documents it. */
const chunk = z.object({
  id: z.string(),
  object: z.literal("chat.completion.chunk"),
  created: z.int(),
  model: z.string(),
  choices: z
    .array(
      z.object({
        index: z.literal(0),
        delta: z.object({
          role: z.string().optional(),
          content: z.string().nullish(),
          tool_calls: z
            .array(
              z.object({
                index: z.int(),
                id: z.string().min(1).max(100),
                type: z.literal("function"),
                function: z.object({ name: z.string().min(1), arguments: z.string() }),
              }),
            )
            .optional(),
        }),
        finish_reason: z.enum(["stop", "length", "tool_calls", "content_filter"]).nullable(),
      }),
    )
    .max(1),
});

export interface ToolWish {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
}

export interface SpokenAnswer {
  text: string;
  /** What the answer has the platform do. */
  wishes: ToolWish[];
  /** From the request to the first words. */
  firstWordsMs: number;
  /** The caller spoke over it: the rest was not listened to. */
  isCut: boolean;
}

/** Asks a custom model and speaks what it streams; strict in what it takes. */
export async function readSpoken(
  url: string,
  apiKey: string,
  body: object,
  heardChars = Number.POSITIVE_INFINITY,
): Promise<SpokenAnswer> {
  const begin = performance.now();
  const hangUp = new AbortController();
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: hangUp.signal,
  });
  if (response.status !== 200 || response.body === null)
    throw new Error(`the model answered ${response.status}: ${await response.text()}`);
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream")) throw new Error(`the model answered ${type}`);
  const answer: SpokenAnswer = { text: "", wishes: [], firstWordsMs: 0, isCut: false };
  let reason: string | null = null;
  let isDone = false;
  for await (const data of readData(response.body)) {
    if (isDone) throw new Error("something came after [DONE]");
    isDone = data === "[DONE]";
    if (isDone) continue;
    const [choice] = chunk.parse(JSON.parse(data)).choices;
    reason = choice?.finish_reason ?? reason;
    for (const { id, function: wish } of choice?.delta.tool_calls ?? [])
      answer.wishes.push({ id, name: wish.name, arguments: JSON.parse(wish.arguments) });
    const content = choice?.delta.content ?? "";
    if (content !== "" && answer.text === "") answer.firstWordsMs = performance.now() - begin;
    answer.text += content;
    answer.isCut = answer.text.length >= heardChars;
    if (answer.isCut) break;
  }
  hangUp.abort();
  if (answer.isCut) return { ...answer, text: answer.text.slice(0, heardChars) };
  if (!isDone) throw new Error("the answer broke off before [DONE]");
  if ((reason === "tool_calls") !== answer.wishes.length > 0)
    throw new Error(`${answer.wishes.length} tools were called, and the answer ended with ${reason}`);
  return { ...answer, text: answer.text.trim() };
}

async function* readData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      // Comments keep the connection alive.
      if (event.startsWith(":")) continue;
      if (!event.startsWith("data: ")) throw new Error(`not an event: ${event}`);
      yield event.slice("data: ".length);
    }
  }
  if (rest.trim() !== "") throw new Error(`the stream broke off in: ${rest}`);
}
