import type { SimulatorAnswer } from "../simulator.ts";

/** platform.openai.com/docs/guides/error-codes */
export function openaiError(
  status: number,
  message: string,
  code: string | null = null,
  param: string | null = null,
) {
  const type = status === 429 ? "requests" : status >= 500 ? "server_error" : "invalid_request_error";
  return { error: { message, type, param, code } };
}

export function refusal(
  status: number,
  message: string,
  code: string | null = null,
  param: string | null = null,
): SimulatorAnswer {
  return { status, body: openaiError(status, message, code, param) };
}
