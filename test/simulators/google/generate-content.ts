import { z } from "zod";
import {
  type ChatFormat,
  type ChatScriptBook,
  playScript,
  type StreamWriter,
  type WholeAnswer,
} from "../chat-script.ts";
import type { SimulatorAnswer, SimulatorRequest } from "../simulator.ts";
import { googleError, refuse } from "./google-errors.ts";

export const googleChatModel = "gemini-2.5-flash";

const part = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ inlineData: z.strictObject({ mimeType: z.string(), data: z.base64() }) }),
  z.strictObject({
    functionCall: z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      args: z.record(z.string(), z.unknown()),
    }),
    thoughtSignature: z.string().optional(),
  }),
  z.strictObject({
    functionResponse: z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      response: z.record(z.string(), z.unknown()),
    }),
  }),
]);
const content = z.strictObject({ role: z.enum(["user", "model"]).optional(), parts: z.array(part).min(1) });
const bodySchema = z.strictObject({
  contents: z.array(content).min(1, "contents is not specified"),
  systemInstruction: z.strictObject({ role: z.string().optional(), parts: z.array(part) }).optional(),
  generationConfig: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().optional(),
      topK: z.number().optional(),
      maxOutputTokens: z.int().positive().optional(),
      stopSequences: z.array(z.string()).max(5).optional(),
      candidateCount: z.int().optional(),
    })
    .optional(),
  tools: z
    .array(
      z.strictObject({
        functionDeclarations: z.array(
          z.strictObject({
            name: z.string().regex(/^[a-zA-Z_][\w.:-]{0,63}$/),
            description: z.string().optional(),
            parameters: z.looseObject({}).optional(),
            parametersJsonSchema: z.looseObject({}).optional(),
          }),
        ),
      }),
    )
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z.strictObject({
        mode: z.enum(["AUTO", "ANY", "NONE", "VALIDATED"]),
        allowedFunctionNames: z.array(z.string()).optional(),
      }),
    })
    .optional(),
  safetySettings: z.array(z.looseObject({})).optional(),
});

/** `models/{model}:generateContent` and `:streamGenerateContent?alt=sse` (ai.google.dev/api/generate-content). */
export function answerGenerate(request: SimulatorRequest, book: ChatScriptBook): SimulatorAnswer {
  const { model = "", verb } = request.params;
  const stream = verb === "streamGenerateContent";
  if (stream && request.query.get("alt") !== "sse")
    return refuse(400, "this simulator streams with alt=sse only");
  const parsed = bodySchema.safeParse(JSON.parse(request.body.toString()));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(400, `* GenerateContentRequest.${issue?.path.join(".")}: ${issue?.message}`);
  }
  if (model !== googleChatModel) return refuse(404, `models/${model} is not found for API version v1beta`);
  const { contents, systemInstruction, tools = [] } = parsed.data;
  const system =
    systemInstruction === undefined ? [] : [{ role: "system", text: textOf(systemInstruction.parts) }];
  const seen = {
    model,
    messages: [...system, ...contents.map(({ role = "user", parts }) => ({ role, text: textOf(parts) }))],
    tools: tools.flatMap(({ functionDeclarations }) => functionDeclarations.map(({ name }) => name)),
    stream,
  };
  return playScript(request, book, seen, format);
}

const format: ChatFormat = {
  contentType: "text/event-stream",
  refuse(kind) {
    switch (kind) {
      case "context-length":
        return refuse(
          400,
          "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        );
      case "rate-limited":
        return refuse(429, "Resource has been exhausted (e.g. check quota).");
      case "quota-exhausted":
        return { status: 402, body: googleError(402, "Billing is required.") };
      case "overloaded":
        return refuse(503, "The model is overloaded. Please try again later.");
    }
  },
  whole: (answer) =>
    answerOf([...textParts((answer.texts ?? []).join("")), ...callParts(answer)], answer, true),
  writer: (answer): StreamWriter => {
    const frame = (parts: object[], last: boolean) =>
      `data: ${JSON.stringify(answerOf(parts, answer, last))}\r\n\r\n`;
    return {
      begin: () => "",
      text: (piece) => frame(textParts(piece), false),
      end: () => frame(callParts(answer).length > 0 ? callParts(answer) : [{ text: "" }], true),
      error: () => `data: ${JSON.stringify(googleError(503, "The model is overloaded."))}\r\n\r\n`,
      malformed: () => 'data: {"candidates": [{"cont\r\n\r\n',
    };
  },
};

function answerOf(parts: object[], answer: WholeAnswer, last: boolean): object {
  const { inputTokens, outputTokens } = answer.usage;
  return {
    candidates: [
      {
        content: { role: "model", parts },
        index: 0,
        ...(last && { finishReason: finishReason(answer) }),
      },
    ],
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: inputTokens + outputTokens,
    },
    modelVersion: googleChatModel,
    responseId: "response-1",
  };
}

/** Gemini says STOP, too, when it wishes to call a function. */
function finishReason({ end }: WholeAnswer): string {
  if (end === "filtered") return "SAFETY";
  return end === "length" ? "MAX_TOKENS" : "STOP";
}

function textParts(text: string): object[] {
  return text === "" ? [] : [{ text }];
}

function callParts({ toolCalls = [] }: WholeAnswer): object[] {
  return toolCalls.map(({ name, arguments: given }) => ({
    functionCall: { name, args: typeof given === "string" ? JSON.parse(given) : given },
  }));
}

function textOf(parts: readonly object[]): string {
  return parts
    .map((one) => {
      if ("text" in one) return String(one.text);
      return "functionResponse" in one ? JSON.stringify(one.functionResponse) : "";
    })
    .join("");
}
