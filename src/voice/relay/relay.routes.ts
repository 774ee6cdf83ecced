import type { App } from "../../context.ts";
import { Problem } from "../../http/problem.ts";
import type { PublicAnswer, PublicRoute } from "../../http/public-route.ts";
import { answerCall, closeLine, noteStatus } from "./answer-call.ts";
import { readCarrierRequest } from "./carrier-request.ts";
import type { CarrierName } from "./relay-attributes.ts";
import { noteTransfer } from "./transfer-call.ts";

const ROUTE_NAMES = {
  incoming: "Incoming",
  action: "Action",
  transfer: "Transfer",
  status: "Status",
} as const;

/**
 * What carriers call: when somebody rings, when a line to us is closed, when a human was dialled, and when a call changes
 * its state.
 */
export const relayRoutes: readonly PublicRoute[] = (["twilio", "telnyx"] as const).flatMap((carrier) => [
  route(carrier, "incoming", (app, request) => answerCall(app, carrier, request)),
  route(carrier, "action", (app, request, query) => closeLine(app, carrier, request, query)),
  route(carrier, "transfer", (app, request) => noteTransfer(app, carrier, request)),
  route(carrier, "status", (app, request) => noteStatus(app, carrier, request)),
]);

function route(
  carrier: CarrierName,
  name: keyof typeof ROUTE_NAMES,
  handle: (
    app: App,
    request: ReturnType<typeof readCarrierRequest>,
    query: URLSearchParams,
  ) => Promise<string>,
): PublicRoute {
  const path = `/voice/${carrier}/${name}` as const;
  return {
    id: `${carrier}${ROUTE_NAMES[name]}`,
    method: "POST",
    path,
    bodyLimitBytes: 64 * 1024,
    handle: async (app, request) => {
      refuseUnknown(app, carrier);
      return xml(await handle(app, readCarrierRequest(app, carrier, path, request), request.query));
    },
  };
}

/** Where there is no such carrier, there is no such route. */
function refuseUnknown(app: App, carrier: CarrierName): void {
  if (app.config[carrier] === undefined)
    throw new Problem("route_not_found", `CARRIER is not ${carrier} here.`);
}

function xml(body: string): PublicAnswer {
  return { status: 200, headers: { "content-type": "text/xml; charset=utf-8" }, body };
}
