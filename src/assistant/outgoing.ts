import { createCitationFilter } from "./citations.ts";
import { createImageFilter } from "./images.ts";
import { createLeakGuard, type Secret } from "./leak-guard.ts";

/** What a model says on its way to the person. */
export interface Outgoing {
  /** What may go out now. */
  push(text: string): string;
  /** The rest. */
  end(): string;
  /** It began to show its instructions: nothing more goes out. */
  leaked(): boolean;
  cited(): number[];
}

export function createOutgoing(options: {
  secrets: readonly Secret[];
  mark: string;
  /** How many sources there are by now. */
  offered: () => number;
  renumber: boolean;
  /** What the model was given to read: an address in it is not the model's own. */
  read: () => readonly string[];
}): Outgoing {
  const guard = createLeakGuard(options.secrets, options.mark);
  const citations = createCitationFilter(options.offered, options.renumber);
  const images = createImageFilter((address) => options.read().some((text) => text.includes(address)));
  let leaked = false;
  return {
    push(text) {
      const passed = guard.push(text);
      leaked = passed.leaked;
      return citations.push(images.push(passed.text));
    },
    end() {
      const rest = guard.end();
      leaked ||= rest.leaked;
      return citations.push(images.push(rest.text) + images.end()) + citations.end();
    },
    leaked: () => leaked,
    cited: citations.cited,
  };
}
