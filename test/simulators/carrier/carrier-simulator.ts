import { type Simulator, startSimulator } from "../simulator.ts";
import {
  type CarrierState,
  newCarrierState,
  type Regulation,
  type SoldNumber,
  type StockedNumber,
  sidOf,
} from "./carrier-state.ts";
import { failureBody } from "./twilio-answers.ts";
import { complianceRoutes } from "./twilio-compliance.ts";
import { numberRoutes } from "./twilio-numbers.ts";

export type CarrierSimulator = Simulator & {
  state: CarrierState;
  /** Settings of a server whose carrier this is. */
  settings: Record<string, string>;
  /** Puts a number up for sale. */
  stock(number: string, more?: Partial<StockedNumber>): void;
  /** A number that is the account's already. Returns what it looks like there, now and later. */
  own(number: string): SoldNumber;
  /** From now on such numbers are sold with papers only. */
  regulate(country: string, numberType: string, documents?: Regulation["documents"]): void;
  /** A bundle in a state of Twilio's. Returns its id. */
  bundle(name: string, status: string): string;
  address(name: string): string;
};

/** A stand-in for Twilio, as strict as its documentation: all of its hosts under one address. */
export async function startCarrierSimulator(port?: number): Promise<CarrierSimulator> {
  const state = newCarrierState(sidOf("AC", "the account"), "token-5f2b9c77d1e04a");
  const simulator = await startSimulator({
    ...(port === undefined ? {} : { port }),
    routes: [...numberRoutes(state), ...complianceRoutes(state)],
    errorBody: (status, message) => failureBody(status, codeFor(status), message),
  });
  return {
    ...simulator,
    state,
    settings: {
      CARRIER: "twilio",
      TWILIO_ACCOUNT_SID: state.accountSid,
      TWILIO_AUTH_TOKEN: state.authToken,
      TWILIO_BASE_URL: simulator.url,
    },
    stock(number, more = {}) {
      state.stock.push({ ...describe(number), addressRequired: "none", sms: true, isGone: false, ...more });
    },
    own(number) {
      const { kind } = describe(number);
      const owned: SoldNumber = {
        sid: sidOf("PN", number),
        number,
        kind,
        friendlyName: number,
        bundleSid: null,
        addressSid: null,
        sms: true,
        voiceUrl: "",
        voiceFallbackUrl: "",
        statusCallback: "",
        createdAt: new Date(),
      };
      state.owned.push(owned);
      return owned;
    },
    regulate(country, numberType, documents = [[{ name: "Proof of address", accepted: ["Utility bill"] }]]) {
      const name = `${country}: ${numberType} - Business`;
      const regulation = { sid: sidOf("RN", name), friendlyName: name, country, numberType };
      state.regulations.push({ ...regulation, endUser: "business", documents });
    },
    bundle(name, status) {
      const sid = sidOf("BU", name);
      state.bundles.set(sid, status);
      return sid;
    },
    address(name) {
      const sid = sidOf("AD", name);
      state.addresses.add(sid);
      return sid;
    },
  };
}

/** Of the countries that the tests speak of. */
function describe(number: string): Pick<StockedNumber, "number" | "country" | "kind" | "areaCode"> {
  const digits = number.slice(1);
  if (/^18(00|88|77)/.test(digits))
    return { number, country: "US", kind: "TollFree", areaCode: digits.slice(1, 4) };
  if (digits.startsWith("1")) return { number, country: "US", kind: "Local", areaCode: digits.slice(1, 4) };
  if (/^491[567]/.test(digits))
    return { number, country: "DE", kind: "Mobile", areaCode: digits.slice(2, 5) };
  if (digits.startsWith("49")) return { number, country: "DE", kind: "Local", areaCode: digits.slice(2, 5) };
  throw new Error(`say of which country and kind ${number} is`);
}

function codeFor(status: number): number {
  if (status === 429) return 20429;
  if (status === 404) return 20404;
  return status >= 500 ? 20500 : 20001;
}
