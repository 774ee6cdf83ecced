import type { SimulatorAnswer } from "../simulator.ts";

export function googleError(code: number, message: string): object {
  const status =
    code === 429
      ? "RESOURCE_EXHAUSTED"
      : code >= 500
        ? "UNAVAILABLE"
        : code === 404
          ? "NOT_FOUND"
          : "INVALID_ARGUMENT";
  const retryInfo = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "2s" };
  return { error: { code, message, status, ...(code === 429 && { details: [retryInfo] }) } };
}

export function refuse(status: number, message: string): SimulatorAnswer {
  return { status, body: googleError(status, message) };
}

export const wrongKey: SimulatorAnswer = {
  status: 400,
  body: {
    error: {
      code: 400,
      message: "API key not valid. Please pass a valid API key.",
      status: "INVALID_ARGUMENT",
      details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
    },
  },
};
