import type { BrowserFrame, ShownEvent } from "../../relay/browser-frames.ts";
import { mintToken, NoCall, openLine, type TestLine } from "./line.ts";
import { addEntry, type Entry, part, show, tell } from "./page.ts";
import { finishSpeech, interruptSpeech, remarkOn, resetSpeech, speak } from "./speech.ts";

let line: TestLine | null = null;
let hasEnded = false;
const tools = new Map<string, Entry>();

part<HTMLFormElement>("setup").addEventListener("submit", (event) => {
  event.preventDefault();
  void call();
});
part<HTMLFormElement>("say").addEventListener("submit", (event) => {
  event.preventDefault();
  sayWords();
});
part("interrupt").addEventListener("click", () => interrupt());
part("hang-up").addEventListener("click", () => hangUp());
part("again").addEventListener("click", () => {
  show("outcome", false);
  show("call", false);
  show("setup", true);
  part("dial").focus();
});
for (const button of part("keys").querySelectorAll("button"))
  button.addEventListener("click", () => press(button.value));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && line !== null) interrupt();
});

async function call(): Promise<void> {
  const button = part<HTMLButtonElement>("dial");
  button.disabled = true;
  tell("problem", "");
  tell("status", "Calling …");
  try {
    const token = await mintToken({
      key: part<HTMLInputElement>("key").value.trim(),
      account: part<HTMLInputElement>("account").value.trim(),
      workspace: part<HTMLInputElement>("workspace").value.trim(),
    });
    begin();
    line = openLine(token, follow, closed);
  } catch (error) {
    tell("status", "");
    tell("problem", error instanceof NoCall ? error.message : "The call could not be made.");
  } finally {
    button.disabled = false;
  }
}

function begin(): void {
  hasEnded = false;
  tools.clear();
  part("transcript").replaceChildren();
  resetSpeech();
  show("setup", false);
  show("outcome", false);
  show("controls", true);
  show("call", true);
}

function follow(frame: BrowserFrame): void {
  switch (frame.type) {
    case "answered":
      tell("status", "Connected");
      part("call-id").textContent = frame.call_id;
      part("words").focus();
      break;
    case "text":
      speak(frame.token, frame.turn, frame.last);
      break;
    case "language":
      addEntry("note", `The assistant speaks ${frame.ttsLanguage} now.`);
      break;
    case "event":
      note(frame.event);
      break;
    case "end":
      finishSpeech();
  }
}

function note(event: ShownEvent): void {
  switch (event.kind) {
    case "tool_started":
      tools.set(event.toolCallId, addEntry("note", `Tool ${event.name} …`));
      break;
    case "tool_ended": {
      const entry = tools.get(event.toolCallId) ?? addEntry("note", "");
      entry.write(`Tool ${event.name}: ${event.status}, ${Math.round(event.ms)} ms`);
      break;
    }
    case "turn_timed": {
      const { turnId, totalMs, oursMs } = event;
      remarkOn(Number(turnId), `${Math.round(totalMs)} ms, ${Math.round(oursMs)} of them ours`);
      break;
    }
    case "silence":
      addEntry("note", `Nobody said anything for ${Math.round(event.ms / 1_000)} s.`);
      break;
    case "transfer_requested":
      addEntry(
        "note",
        "A human was asked for. On the telephone the caller is put through now, if there is a number.",
      );
      break;
    case "failure":
      addEntry("note", `The answer failed: ${event.message}`);
      break;
    case "ended":
      hasEnded = true;
      part("reason").textContent = event.reason;
      part("by").textContent = event.by;
      part("remedy").textContent = event.remedy;
  }
}

function closed(complaint: string | null): void {
  line = null;
  finishSpeech();
  tell("status", "");
  if (hasEnded) {
    // What was said stays to be read.
    show("controls", false);
    show("outcome", true);
    part("outcome-title").focus();
    return;
  }
  show("call", false);
  tell("problem", complaint ?? "The line was closed before the call had ended.");
  show("setup", true);
  part("dial").focus();
}

function interrupt(): void {
  const heard = interruptSpeech();
  if (heard !== null) line?.send({ type: "interrupt", utteranceUntilInterrupt: heard });
}

/** Whoever speaks while the assistant does talks over it. */
function sayWords(): void {
  const input = part<HTMLInputElement>("words");
  const text = input.value.trim();
  if (text === "" || line === null) return;
  input.value = "";
  interrupt();
  addEntry("caller", text);
  line.send({ type: "prompt", voicePrompt: text, last: true });
}

function press(digit: string): void {
  if (line === null) return;
  interrupt();
  addEntry("caller", `presses ${digit}`);
  line.send({ type: "dtmf", digit });
}

function hangUp(): void {
  interrupt();
  line?.send({ type: "hang-up" });
}
