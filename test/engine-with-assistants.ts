import { ProviderError } from "../src/ports/provider-error.ts";
import type { EngineAssistant, VoiceEngine } from "../src/ports/voice-engine.ts";

/** A vendor's engine with assistants of its own, as far as its port shows: what it holds, and how it fails. */
export interface VendorEngine {
  engine: VoiceEngine;
  /** By the vendor's own id. */
  assistants: Map<string, EngineAssistant>;
  /** By E.164 number, to which assistant. */
  numbers: Map<string, string | null>;
  /** What was done, in its order: `put`, `remove`, `link`, `unlink`. */
  done: string[];
  /** The next calls fail, before they are carried out or after. */
  fail(when: "before" | "after", times: number): void;
}

export function vendorEngine(): VendorEngine {
  const assistants = new Map<string, EngineAssistant>();
  const numbers = new Map<string, string | null>();
  const done: string[] = [];
  const faults: ("before" | "after")[] = [];
  let made = 0;

  async function act<T>(what: string, work: () => T): Promise<T> {
    const fault = faults.shift();
    // As far away as a vendor is.
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (fault === "before") throw failure();
    const result = work();
    done.push(what);
    if (fault === "after") throw failure();
    return result;
  }

  const engine: VoiceEngine = {
    name: "vapi",
    todo: null,
    assistants: {
      target: "reports",
      putAssistant: (assistant, knownId) =>
        act("put", () => {
          const found = [...assistants].find(([, one]) => one.reference === assistant.reference)?.[0];
          made += 1;
          const id = knownId !== null && assistants.has(knownId) ? knownId : (found ?? `assistant-${made}`);
          assistants.set(id, assistant);
          return id;
        }),
      removeAssistant: ({ reference }) =>
        act("remove", () => {
          for (const [id, one] of assistants) if (one.reference === reference) assistants.delete(id);
        }),
    },
    planNumber: ({ carrier, number }) =>
      carrier === "manual"
        ? { by: "hand", todo: `Import ${number} there.` }
        : { by: "engine", target: "vendor" },
    linkNumber: ({ number }, assistantId) =>
      act("link", () => {
        if (assistantId === null || !assistants.has(assistantId)) throw failure();
        numbers.set(number, assistantId);
        return `number-of-${number}`;
      }),
    unlinkNumber: ({ number }) => act("unlink", () => void numbers.delete(number)),
  };
  return {
    engine,
    assistants,
    numbers,
    done,
    fail: (when, times) => void faults.push(...Array.from({ length: times }, () => when)),
  };
}

function failure(): ProviderError {
  return new ProviderError("The vendor answered 503.", {
    provider: "vapi",
    status: 503,
    code: "unavailable",
    retryable: true,
  });
}
