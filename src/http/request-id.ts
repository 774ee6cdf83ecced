import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/;

/** Takes the id a proxy or a client has given, else counts up behind a prefix that is this process's own. */
export function createRequestIds(): (request: { headers: IncomingHttpHeaders }) => string {
  const prefix = `req-${randomBytes(4).toString("hex")}-`;
  let count = 0;
  return ({ headers }) => {
    const given = headers["x-request-id"];
    if (typeof given === "string" && ACCEPTED.test(given)) return given;
    count += 1;
    return prefix + count.toString(36);
  };
}
