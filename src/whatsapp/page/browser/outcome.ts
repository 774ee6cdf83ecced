import type { OutcomeData, ScriptTexts } from "../page-data.ts";
import { isReview, viewOf } from "./answers.ts";
import { fill, isFramed, page, parts, reveal, say, show, speak } from "./page.ts";
import { tellParent } from "./parent.ts";

/**
 * Shows what the server answered.
 *
 * @param isRepeated the digits that were asked for had been sent, so they were wrong
 * @returns after how many seconds to ask again by itself; null: not at all
 */
export function showOutcome(outcome: OutcomeData, isRepeated = false): number | null {
  const { panel, text = "unexpected", action = null, againSeconds } = viewOf(outcome);
  switch (panel) {
    case "connected":
      showConnected(outcome);
      break;
    case "choose":
      offerNumbers(outcome.numbers ?? []);
      show("choose");
      break;
    case "verify":
      fill("verify", say("verifyText", { number: outcome.display_phone_number ?? page.expectedPhone ?? "" }));
      reveal("sent", outcome.error?.code === "code_sent");
      show("verify");
      complain("verify", outcome.error?.code === "verification_failed" ? say("verifyWrong") : "");
      break;
    case "pin":
      show("pin");
      complain("pin", isRepeated ? say("pinWrong") : "");
      break;
    case "waiting":
      showWaiting(outcome, say(text));
      break;
    default:
      showProblem(text, action, {
        code: outcome.error?.code ?? "unexpected",
        reference: outcome.error?.trace_id ?? null,
      });
  }
  return againSeconds;
}

function showConnected(outcome: OutcomeData): void {
  const number = outcome.display_phone_number;
  fill("connected", number === null ? say("connectedPlain") : say("connectedText", { number }));
  reveal("payment", outcome.status === "needs_payment");
  // In a frame that is the parent's to do.
  reveal("close", !isFramed);
  show("connected");
  tellConnected(outcome);
}

/** The sign-up is over, even where Meta still looks at the name. */
export function tellConnected({ connection_id, display_phone_number, status }: OutcomeData): void {
  tellParent("whatsapp.connected", { connection_id, display_phone_number, status });
}

export interface ProblemFacts {
  /** What the parent page is told; none: it is not told. */
  code?: string;
  reference?: string | null;
}

/** @param action what the button does; null: there is none */
export function showProblem(
  text: keyof ScriptTexts,
  action: "start" | "resume" | null,
  { code, reference }: ProblemFacts = {},
): void {
  fill("problem", say(text, { number: page.expectedPhone ?? "" }));
  fill("reference", reference ? say("reference", { reference }) : "");
  reveal("retry", action === "resume");
  reveal("restart", action === "start");
  show("problem");
  if (code !== undefined) tellParent("whatsapp.error", { code });
}

/** Below the field, which has the focus then. An empty text takes the complaint back. */
export function complain(form: "pin" | "verify", text: string): void {
  fill(`${form}-wrong`, text);
  const field = document.querySelector<HTMLInputElement>(`#${form}-digits`);
  if (text === "") {
    field?.removeAttribute("aria-invalid");
    return;
  }
  field?.setAttribute("aria-invalid", "true");
  field?.focus();
  field?.select();
  speak(text);
}

function showWaiting(outcome: OutcomeData, text: string): void {
  const isOver = isReview(outcome);
  fill("waiting", text);
  reveal("check", !isOver);
  show("waiting", say(isOver ? "waitingTitle" : "waitingOtherTitle"));
  if (isOver) tellConnected(outcome);
}

function offerNumbers(numbers: NonNullable<OutcomeData["numbers"]>): void {
  const choices = numbers.map((number, index) => {
    const input = document.createElement("input");
    Object.assign(input, {
      type: "radio",
      name: "number",
      value: number.phone_number_id,
      checked: index === 0,
    });
    const name = document.createElement("span");
    name.textContent = number.verified_name;
    const digits = document.createElement("strong");
    digits.textContent = number.display_phone_number;
    const text = document.createElement("span");
    text.append(digits, name);
    const label = document.createElement("label");
    label.append(input, text);
    return label;
  });
  for (const group of parts("numbers")) group.replaceChildren(...choices);
}
