import type { IncomingMessage } from "node:http";
import type { App } from "../../context.ts";
import { TEST_CALL_PATH } from "../create-test-call.ts";
import type { BrowserFrame } from "./browser-frames.ts";
import { browserLine } from "./browser-line.ts";
import { answerLine, answerTestCall, type CallPlan } from "./call-plan.ts";
import type { CallLine } from "./call-session.ts";
import { isHandshakeSigned } from "./carrier-request.ts";
import type { RelayCommand, RelayMessage } from "./messages.ts";
import type { CarrierName } from "./relay-attributes.ts";

/** An address at which lines are opened: who may, whose call it is, and what is sent over it. */
export interface Door {
  name: CarrierName | "browser";
  /** `null`: it may come in. */
  refusal(app: App, request: IncomingMessage): string | null;
  /** `null`: there is no such call. */
  answer(app: App, setup: Setup): Promise<CallPlan | null>;
  line(plan: CallPlan, send: (frame: RelayCommand | BrowserFrame) => void, close: () => void): CallLine;
}

type Setup = Extract<RelayMessage, { type: "setup" }>;

export function findDoor({ url = "" }: IncomingMessage): Door | undefined {
  const path = url.split("?")[0] ?? "";
  return DOORS.get(path);
}

const DOORS: ReadonlyMap<string, Door> = new Map([
  ["/voice/relay/twilio", carrierDoor("twilio")],
  ["/voice/relay/telnyx", carrierDoor("telnyx")],
  [TEST_CALL_PATH, browserDoor()],
]);

function carrierDoor(carrier: CarrierName): Door {
  return {
    name: carrier,
    refusal(app, { url = "", headers }) {
      if (app.config[carrier] === undefined) return "404 Not Found";
      if (isHandshakeSigned(app, carrier, url, headers)) return null;
      app.log.warn({ carrier }, "a line that the carrier has not signed was refused");
      return "403 Forbidden";
    },
    answer: (app, { callSid, customParameters }) =>
      answerLine(app, carrier, { token: customParameters?.token ?? "", callSid }),
    line: (_plan, send, close) => ({ send, close }),
  };
}

/** Anybody may open it; without a token, which is not in the address and so in no log, it is closed again. */
function browserDoor(): Door {
  return {
    name: "browser",
    refusal: () => null,
    answer: (app, { customParameters }) => answerTestCall(app, customParameters?.token ?? ""),
    line: browserLine,
  };
}
