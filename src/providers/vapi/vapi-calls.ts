import type { EngineCalls } from "../../ports/engine-calls.ts";
import { callVapi, isNotFound, type VapiOptions } from "./call-vapi.ts";

/** The same words as in Vapi's messages: see `voice/vapi/vapi-call.ts`. */
export function vapiCalls(options: VapiOptions): EngineCalls {
  return {
    async findCall(id, signal) {
      const path = `call/${encodeURIComponent(id)}`;
      return callVapi(options, { method: "GET", path, signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    },
  };
}
