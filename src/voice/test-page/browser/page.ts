/** An element of the page, which the server has written. */
export function part<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return asKind<Kind>(element);
}

/** The markup is ours: each id is of the kind that its callers name. */
function asKind<Kind extends HTMLElement>(element: HTMLElement): Kind {
  return element as Kind;
}

export type Speaker = "caller" | "assistant" | "note";

const NAMES: Readonly<Record<Speaker, string>> = { caller: "Caller", assistant: "Assistant", note: "Log" };

/** A line of the transcript. */
export interface Entry {
  /** Replaces what is said. */
  write(text: string): void;
  /** A remark behind it, such as what it took. */
  remark(text: string): void;
}

export function addEntry(speaker: Speaker, text: string): Entry {
  const transcript = part("transcript");
  const line = document.createElement("p");
  line.className = `entry ${speaker}`;
  const name = document.createElement("b");
  name.className = "name";
  name.textContent = NAMES[speaker];
  const words = document.createElement("span");
  words.textContent = text;
  line.append(name, words);
  transcript.append(line);
  transcript.scrollTop = transcript.scrollHeight;
  return {
    write(said) {
      words.textContent = said;
      transcript.scrollTop = transcript.scrollHeight;
    },
    remark(remark) {
      const small = document.createElement("small");
      small.className = "remark";
      small.textContent = remark;
      line.append(small);
    },
  };
}

export function show(id: string, isShown: boolean): void {
  part(id).hidden = !isShown;
}

export function tell(id: "status" | "problem", text: string): void {
  part(id).textContent = text;
}
