import { RetrievalError, type RetrievalErrorCode } from "./retrieval-error.ts";

/** What travels between a worker and its client. Either side may ask; `cancel` goes only to the worker. */
export type WorkerMessage =
  | { kind: "ask"; id: number; method: string; payload: unknown }
  | { kind: "answer"; id: number; value: unknown }
  | { kind: "failure"; id: number; error: PlainError }
  | { kind: "cancel"; id: number };

/** An error as data: classes do not survive the way between threads. */
export type PlainError = {
  message: string;
  name: string;
  stack: string | undefined;
  code: RetrievalErrorCode | null;
};

export function toPlainError(error: unknown): PlainError {
  const { message, name, stack } = error instanceof Error ? error : new Error(String(error));
  return { message, name, stack, code: error instanceof RetrievalError ? error.code : null };
}

export function fromPlainError({ message, name, stack, code }: PlainError): Error {
  const error = code ? new RetrievalError(code, message) : new Error(message);
  if (!code) error.name = name;
  // Where it happened is in the worker; where it is thrown again helps nobody.
  if (stack) error.stack = stack;
  return error;
}

/** Only this module's two ends write to the channel. */
export function asMessage(data: unknown): WorkerMessage {
  return data as WorkerMessage;
}
