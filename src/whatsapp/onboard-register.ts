import type { MessengerError, MessengerNumber } from "../ports/messenger.ts";
import { asLastError, type ConnectionRow, openPin, sealPin } from "./connection.ts";
import { isRegistered, numberColumns } from "./number-facts.ts";
import { OnboardStop, type Stop, secondsOf } from "./onboard-answer.ts";
import { type Attempt, ask, placeOf, writeConnection } from "./onboard-attempt.ts";

/** Thrown where nothing is left to do but wait until Meta has looked at the name. */
export class NameInReview extends Error {
  override name = "NameInReview";
}

/** Meta locks a number for three days after ten tries: these are made by themselves, all others wait. */
const AUTOMATIC_TRIES = 2;
const TRIES_MAX = 8;
const FIRST_WAIT_MS = 10 * 60_000;
const LOCK_SECONDS = 72 * 3_600;
/** A number that was deleted a moment ago can be registered five minutes later. */
const WAIT_SECONDS = 300;

/**
 * Makes the number able to send and receive. Looked at first, since an attempt that ended before it could write what it
 * had done may have registered it; numbers that stay in the WhatsApp Business app are registered there.
 */
export async function registerNumber(attempt: Attempt, connection: ConnectionRow): Promise<ConnectionRow> {
  const number = await readNumber(attempt, connection);
  if (number.isOnBusinessApp || isRegistered(number))
    return writeConnection(attempt, connection.id, { ...numberColumns(number), step: "registered" });
  await verifyNumber(attempt, connection);
  refuseBlindTry(attempt, connection);
  const pin = attempt.body.pin ?? openPin(attempt.app, connection) ?? "";
  // Before the call: should nobody live to hear the answer, the PIN is known and the try is counted.
  const tried = await writeConnection(attempt, connection.id, {
    pin: sealPin(attempt.app, connection.id, pin),
    registrations: connection.registrations + 1,
  });
  await register(attempt, tried, pin);
  return writeConnection(attempt, connection.id, { step: "registered" });
}

async function readNumber(attempt: Attempt, connection: ConnectionRow): Promise<MessengerNumber> {
  const { token, wabaId, phoneNumberId } = placeOf(attempt.app, connection);
  const numbers = await ask(attempt, "register", (messenger, signal) =>
    messenger.listNumbers(token, wabaId, signal),
  );
  const number = numbers.find(({ id }) => id === phoneNumberId);
  if (number !== undefined) return number;
  throw new OnboardStop({
    step: "register",
    code: "asset_not_accessible",
    message: "The number is no longer among those of its account. Sign in once more.",
    needs: "new_code",
  });
}

/** Where Meta wants to know that the number is the customer's, by a code that it sends. */
async function verifyNumber(attempt: Attempt, connection: ConnectionRow): Promise<void> {
  const { verification } = attempt.body;
  if (verification === undefined) {
    if (connection.status === "needs_verification") throw new OnboardStop(UNVERIFIED);
    return;
  }
  const { token, phoneNumberId } = placeOf(attempt.app, connection);
  if ("code" in verification) {
    await ask(
      attempt,
      "register",
      (messenger, signal) => messenger.verifyCode(token, phoneNumberId, verification.code, signal),
      explainVerification,
    );
    return;
  }
  const by = { method: verification.request ?? "SMS", language: "en_US" };
  await ask(
    attempt,
    "register",
    (messenger, signal) => messenger.requestCode(token, phoneNumberId, by, signal),
    explainVerification,
  );
  throw new OnboardStop({ ...UNVERIFIED, code: "code_sent", message: "Meta has sent a code to the number." });
}

const UNVERIFIED: Stop = {
  step: "register",
  code: "number_unverified",
  message: "Meta wants to know that this number is yours: ask for a code.",
  needs: "verification",
  status: "needs_verification",
  isExpected: true,
};

function explainVerification(cause: MessengerError): Stop | undefined {
  if (["transient", "throttled", "reauth", "permission"].includes(cause.kind)) return undefined;
  return {
    ...UNVERIFIED,
    code: "verification_failed",
    message: "Meta did not take this. Check the code, or ask for another one in a few minutes.",
    isExpected: false,
    cause,
    ...(cause.retryAfterMs === null ? {} : { retryAfterSeconds: secondsOf(cause, WAIT_SECONDS) }),
  };
}

/** A try without anything new to it is made twice at once, and then ever more rarely. */
function refuseBlindTry({ app, body }: Attempt, connection: ConnectionRow): void {
  const { registrations, status } = connection;
  if (status === "needs_pin" && body.pin === undefined) throw new OnboardStop(PIN_NEEDED);
  if (registrations >= TRIES_MAX) throw new OnboardStop(LOCKED);
  if (body.pin !== undefined || body.verification !== undefined || registrations < AUTOMATIC_TRIES) return;
  const lastTry = asLastError(connection.last_error)?.at;
  const waitMs = FIRST_WAIT_MS * 2 ** (registrations - AUTOMATIC_TRIES);
  const leftMs = lastTry === undefined ? 0 : Date.parse(lastTry) + waitMs - app.now().getTime();
  if (leftMs > 0) throw new OnboardStop({ ...WAITING, retryAfterSeconds: Math.ceil(leftMs / 1_000) });
}

const PIN_NEEDED: Stop = {
  step: "register",
  code: "pin_mismatch",
  message: "The number has a two-step PIN of its own. Enter it.",
  needs: "pin",
  status: "needs_pin",
  isExpected: true,
};

const LOCKED: Stop = {
  step: "register",
  code: "number_locked",
  message: "The number was registered too often: Meta takes it again in three days.",
  needs: "wait",
  status: "needs_register",
  retryAfterSeconds: LOCK_SECONDS,
  retryable: false,
};

const WAITING: Stop = {
  step: "register",
  code: "register_later",
  message: "Meta does not take the number yet. Try again later.",
  needs: "wait",
  status: "needs_register",
  isExpected: true,
};

async function register(attempt: Attempt, connection: ConnectionRow, pin: string): Promise<void> {
  const { token, phoneNumberId } = placeOf(attempt.app, connection);
  const call = (explain: (cause: MessengerError) => Stop | undefined) =>
    ask(
      attempt,
      "register",
      (messenger, signal) => messenger.register(token, phoneNumberId, pin, signal),
      explain,
    );
  try {
    await call(explainRegister);
  } catch (error) {
    const kind = error instanceof OnboardStop ? error.facts.cause?.kind : undefined;
    if (kind === "name_review") throw new NameInReview();
    // It stays in the WhatsApp Business app after all: there is nothing to register.
    if (kind === "coexistence") return void (await markCoexistence(attempt, connection));
    if (kind !== "registering") throw error;
    // An earlier deregistration never came to its end: it is brought there first.
    await ask(attempt, "register", (messenger, signal) => messenger.deregister(token, phoneNumberId, signal));
    await call(explainRegister);
  }
}

async function markCoexistence(attempt: Attempt, { id }: ConnectionRow): Promise<void> {
  await writeConnection(attempt, id, { is_coexistence: true });
}

function explainRegister(cause: MessengerError): Stop | undefined {
  switch (cause.kind) {
    case "pin_mismatch":
      return { ...PIN_NEEDED, cause };
    case "unverified":
      return { ...UNVERIFIED, cause };
    case "locked":
      return { ...LOCKED, cause };
    case "wait":
      return { ...WAITING, retryAfterSeconds: secondsOf(cause, WAIT_SECONDS), cause };
    case "blocked":
      return { ...BLOCKED, cause };
    case "payment":
      return { ...BLOCKED, code: "payment", status: "needs_payment", cause };
    default:
      return undefined;
  }
}

const BLOCKED: Stop = {
  step: "register",
  code: "blocked",
  message: "Meta does not let this account send. WhatsApp Manager says why.",
  needs: null,
  status: "blocked",
  retryable: false,
};
