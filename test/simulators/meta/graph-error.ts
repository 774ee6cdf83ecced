import { randomBytes } from "node:crypto";

/** What Graph says when it refuses. */
export interface GraphFault {
  code: number;
  subcode?: number;
  message?: string;
  /** `error_data.details` */
  details?: string;
  type?: string;
  isTransient?: boolean;
  /** Instead of the status that Meta documents for the code. */
  status?: number;
}

/** Thrown by a route; the server makes Graph's envelope of it. */
export class GraphError extends Error {
  readonly fault: GraphFault;

  constructor(fault: GraphFault) {
    super(fault.message ?? "");
    this.fault = fault;
  }
}

/** Rate limits: Meta's page says 400, its OpenAPI file 429. */
const RATE_CODES = new Set([4, 17, 32, 613, 80007, 130429, 131048, 131056, 133016]);

const STATUSES = new Map<number, number>([
  ...[131000, 131016, 131045, 133000].map((code) => [code, 500] as const),
  ...[2, 133004].map((code) => [code, 503] as const),
  ...[0, 190].map((code) => [code, 401] as const),
  ...[3, 10, 131005, 131031, 368].map((code) => [code, 403] as const),
]);

/** The texts of Meta's table of errors, for those that a test asks for by number only. */
const MESSAGES = new Map<number, string>([
  [0, "We were unable to authenticate the app user"],
  [1, "An unknown error occurred"],
  [2, "Service temporarily unavailable"],
  [4, "Application request limit reached"],
  [10, "Application does not have permission for this action"],
  [100, "Invalid parameter"],
  [190, "Error validating access token: Session has expired"],
  [368, "Temporarily blocked for policies violations"],
  [2200, "Callback verification failed"],
  [80007, "There have been too many calls to this WhatsApp Business account"],
  [130429, "Rate limit hit"],
  [130472, "User's number is part of an experiment"],
  [131000, "Something went wrong"],
  [131005, "Access denied"],
  [131016, "Service unavailable"],
  [131026, "Message undeliverable"],
  [131031, "Business Account locked"],
  [131042, "Business eligibility payment issue"],
  [131045, "Incorrect certificate"],
  [131047, "Re-engagement message"],
  [131048, "Spam rate limit hit"],
  [131053, "Media upload error"],
  [131056, "(Business Account, Consumer Account) pair rate limit hit"],
  [131057, "Account in maintenance mode"],
  [133000, "Incomplete deregistration"],
  [133004, "Server temporarily unavailable"],
  [133005, "Two step verification PIN Mismatch"],
  [133006, "Phone number re-verification needed"],
  [133008, "Too Many two step verification PIN Guesses"],
  [133009, "Two step verification PIN Guessed Too Fast"],
  [133010, "Account not registered"],
  [133015, "Please wait a few minutes before attempting to register this phone number"],
  [133016, "Account register deregister rate limit exceeded"],
]);

export function statusOf(fault: GraphFault, rateStatus: 400 | 429): number {
  if (fault.status !== undefined) return fault.status;
  if (RATE_CODES.has(fault.code)) return rateStatus;
  if (fault.code >= 200 && fault.code <= 299) return 403;
  return STATUSES.get(fault.code) ?? 400;
}

/** `{"error": {…}}` as Graph sends it. */
export function envelope(fault: GraphFault): object {
  const text = fault.message ?? MESSAGES.get(fault.code) ?? "Something went wrong";
  return {
    error: {
      message: fault.message === undefined ? `(#${fault.code}) ${text}` : text,
      type: fault.type ?? "OAuthException",
      code: fault.code,
      ...(fault.subcode === undefined ? {} : { error_subcode: fault.subcode }),
      ...(fault.details === undefined
        ? {}
        : { error_data: { messaging_product: "whatsapp", details: fault.details } }),
      ...(fault.isTransient === undefined ? {} : { is_transient: fault.isTransient }),
      fbtrace_id: `A${randomBytes(16).toString("base64url")}`,
    },
  };
}

export function invalid(message: string, subcode?: number): GraphError {
  return new GraphError({ code: 100, message: `(#100) ${message}`, ...(subcode && { subcode }) });
}

/** Gone, of somebody else, or nothing that does this: Graph does not say which. */
export function noSuchObject(id: string, verb = "get"): GraphError {
  return new GraphError({
    code: 100,
    subcode: 33,
    type: "GraphMethodException",
    message: `Unsupported ${verb} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`,
  });
}
