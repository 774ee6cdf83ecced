import type { Route, SimulatorAnswer, SimulatorRequest } from "../simulator.ts";
import type { CarrierState } from "./carrier-state.ts";

/** What an endpoint of Twilio is given: who is who is known, and nothing was sent that it does not take. */
export type TwilioRequest = SimulatorRequest & { fields: ReadonlyMap<string, string> };

type Endpoint = {
  method: "GET" | "POST" | "DELETE";
  path: RegExp;
  /** The parameters that it takes, in the query or in a form. Anything else is refused. */
  takes: readonly string[];
  handle(request: TwilioRequest): SimulatorAnswer | Promise<SimulatorAnswer>;
};

/** Twilio's own format of an error. */
export function failure(status: number, code: number, message: string): SimulatorAnswer {
  return { status, body: failureBody(status, code, message) };
}

export function failureBody(status: number, code: number, message: string) {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}

/** An endpoint as a route: Basic authentication, forms where something is sent, no unknown parameters. */
export function endpoint(state: CarrierState, { method, path, takes, handle }: Endpoint): Route {
  return {
    method,
    path,
    handle(request) {
      const expected = `Basic ${Buffer.from(`${state.accountSid}:${state.authToken}`).toString("base64")}`;
      if (request.headers.authorization !== expected) return failure(401, 20003, "Authenticate");
      const { account } = request.params;
      if (account !== undefined && account !== state.accountSid)
        return failure(404, 20404, `The requested resource ${request.path} was not found`);
      const isForm = method === "POST";
      if (isForm && request.headers["content-type"] !== "application/x-www-form-urlencoded")
        return failure(415, 20415, "Unsupported Media Type");
      const sent = isForm ? new URLSearchParams(request.body.toString()) : request.query;
      const unknown = [...sent.keys()].find((name) => !takes.includes(name));
      if (unknown !== undefined) return failure(400, 20001, `Unknown parameter: ${unknown}`);
      if (isForm && request.query.size > 0) return failure(400, 20001, "A form has no query");
      return handle({ ...request, fields: new Map(sent) });
    },
  };
}

/** One page of a list of the 2010 API. */
export function pageOf<T>(
  name: string,
  items: readonly T[],
  { path, fields }: TwilioRequest,
  show: (item: T) => object,
): SimulatorAnswer {
  const size = Number(fields.get("PageSize") ?? 50);
  const page = Number(fields.get("Page") ?? 0);
  if (!(size >= 1 && size <= 1_000) || !(page >= 0))
    return failure(400, 20006, "Invalid page size or page number");
  const start = page * size;
  const uriOf = (number: number) => {
    const query = new URLSearchParams([...fields, ["PageSize", String(size)], ["Page", String(number)]]);
    for (const [key, value] of fields) if (key !== "Page" && key !== "PageSize") query.set(key, value);
    return `${path}?${query}`;
  };
  return {
    status: 200,
    body: {
      [name]: items.slice(start, start + size).map(show),
      page,
      page_size: size,
      start,
      end: Math.max(0, Math.min(items.length, start + size) - 1),
      uri: uriOf(page),
      first_page_uri: uriOf(0),
      previous_page_uri: page === 0 ? null : uriOf(page - 1),
      next_page_uri: start + size < items.length ? uriOf(page + 1) : null,
    },
  };
}
