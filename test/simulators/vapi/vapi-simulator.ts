import { type Simulator, startSimulator } from "../simulator.ts";
import { errorBody } from "./vapi-answers.ts";
import { vapiRoutes } from "./vapi-routes.ts";
import { newRecord, newVapiState, type VapiPhoneNumber, type VapiState } from "./vapi-state.ts";

export type VapiSimulator = Simulator & {
  state: VapiState;
  /** Settings of a server that speaks through this. */
  settings: Record<string, string>;
  /** A number that the operator has at Vapi already. */
  own(number: string, more?: Partial<VapiPhoneNumber>): VapiPhoneNumber;
};

export const WEBHOOK_SECRET = "whisper-5f2b9c77d1e04a10";

/** A stand-in for Vapi's API, as strict as the types of its own client: what it does not know it refuses. */
export async function startVapiSimulator(port?: number): Promise<VapiSimulator> {
  const state = newVapiState("vapi-key-0123456789abcdef");
  const simulator = await startSimulator({
    ...(port === undefined ? {} : { port }),
    routes: vapiRoutes(state),
    errorBody,
  });
  return {
    ...simulator,
    state,
    settings: {
      VOICE_ENGINE: "vapi",
      VAPI_API_KEY: state.apiKey,
      VAPI_BASE_URL: simulator.url,
      VAPI_WEBHOOK_SECRET: WEBHOOK_SECRET,
    },
    own(number, more = {}) {
      const made: VapiPhoneNumber = {
        ...newRecord(state),
        provider: "vapi",
        number,
        status: "active",
        ...more,
      };
      state.numbers.push(made);
      return made;
    },
  };
}
