import { Problem } from "../http/problem.ts";
import type { JobError } from "../jobs/queue.ts";
import { ParseFailure } from "./parse/parse-failure.ts";

const UNSUPPORTED = new Set(["unsupported_type", "type_mismatch", "needs_transcription"]);

/** A file that cannot be read, as the API says it: 415 for a kind we do not read, 422 for one that is broken. */
export function asProblem(error: unknown): unknown {
  return error instanceof ParseFailure ? problemOf(error) : error;
}

/** The same for a job's stored reason. */
export function problemOf({ code, message }: JobError): Problem {
  if (UNSUPPORTED.has(code)) return new Problem("unsupported_media_type", message);
  return new Problem("unprocessable", message, {
    details: [{ path: "body.file", message: code.replaceAll("_", " ") }],
  });
}
