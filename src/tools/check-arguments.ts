import { createHash } from "node:crypto";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { runBounded } from "./run-bounded.ts";

/** Whether arguments fit, and if not, what to tell the model. */
export type ArgumentCheck =
  | { fits: true; arguments: Readonly<Record<string, unknown>> }
  | { fits: false; code: "invalid_arguments" | "misconfigured"; message: string };

const ARGUMENTS_MAX_BYTES = 64 * 1024;
const CHECK_MAX_MS = 100;
const SHOWN_ERRORS = 5;
const VALIDATORS_MAX = 500;

const OPTIONS = {
  strict: false,
  validateFormats: false,
  // The definition was checked when it was stored.
  validateSchema: false,
  meta: false,
  allErrors: true,
  logger: false,
} as const;
/** The least recently used first. `null`: it does not compile. */
const validators = new Map<string, ValidateFunction | null>();

/**
 * @param foreign a schema that an MCP server wrote, which may be of another draft: when it does not compile, the server
 * is left to check for itself
 */
export function checkArguments(
  parameters: Readonly<Record<string, unknown>>,
  args: unknown,
  { foreign = false } = {},
): ArgumentCheck {
  if (typeof args === "string") return invalid("The arguments were not valid JSON.");
  if (!isRecord(args)) return invalid("The arguments must be a JSON object.");
  const size = sizeOf(args);
  if (size === undefined) return invalid("The arguments are nested too deeply.");
  if (size > ARGUMENTS_MAX_BYTES)
    return invalid(`The arguments are larger than the ${ARGUMENTS_MAX_BYTES} bytes allowed.`);
  const validator = runBounded(() => validatorFor(parameters), CHECK_MAX_MS * 5)?.value ?? null;
  if (validator === null) {
    if (foreign) return { fits: true, arguments: args };
    return { fits: false, code: "misconfigured", message: "The tool's parameters are not a usable schema." };
  }
  const checked = runBounded(() => isDeepOr(() => validator(args)), CHECK_MAX_MS);
  if (checked === undefined)
    return invalid("The arguments took too long to check. Shorter texts may pass the check.");
  if (checked.value === "deep") return invalid("The arguments are nested too deeply.");
  if (checked.value === true) return { fits: true, arguments: args };
  const errors = (validator.errors ?? []).slice(0, SHOWN_ERRORS).map(describe);
  return invalid(`The arguments do not fit: ${errors.join("; ")}.`);
}

/** A schema that refers to itself goes as deep as the arguments do. */
function isDeepOr<T>(work: () => T): T | "deep" {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return "deep";
    throw error;
  }
}

function validatorFor(parameters: Readonly<Record<string, unknown>>): ValidateFunction | null {
  const { $schema: _, ...schema } = parameters;
  const key = createHash("sha256").update(JSON.stringify(schema)).digest("base64");
  const known = validators.get(key);
  const validator = known === undefined ? compile(schema) : known;
  validators.delete(key);
  validators.set(key, validator);
  const [oldest] = validators.keys();
  if (validators.size > VALIDATORS_MAX && oldest !== undefined) validators.delete(oldest);
  return validator;
}

/** Each by an instance of its own: one keeps every `$id` it has seen, which would be another tenant's. */
function compile(schema: Record<string, unknown>): ValidateFunction | null {
  try {
    return new Ajv2020(OPTIONS).compile(schema);
  } catch {
    return null;
  }
}

function describe({ instancePath, message = "does not fit", params }: ErrorObject): string {
  const place = instancePath === "" ? "the arguments" : instancePath;
  if (Array.isArray(params.allowedValues)) {
    return `${place} must be one of ${JSON.stringify(params.allowedValues).slice(0, 500)}`;
  }
  const extra = params.additionalProperty ?? params.unevaluatedProperty;
  return typeof extra === "string"
    ? `${place} must not have "${extra.slice(0, 100)}"`
    : `${place} ${message}`;
}

function invalid(message: string): ArgumentCheck {
  return { fits: false, code: "invalid_arguments", message };
}

/** `undefined`: so deep that it cannot be written. */
function sizeOf(args: object): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(args));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
