import pino, { type DestinationStream, type Logger } from "pino";
import type { Config } from "./config.ts";

/** Lines of JSON: a constant message, the facts in fields. What failed is under `error`, whole. */
export function createLog(level: Config["logLevel"], destination: DestinationStream): Logger {
  return pino({ level, base: null, errorKey: "error" }, destination);
}
