import { z } from "zod";
import { callVapi, isNotFound, readAnswer, type VapiOptions } from "./call-vapi.ts";
import { readPages } from "./read-pages.ts";

const phoneNumber = z.looseObject({
  id: z.string().min(1).max(100),
  provider: z.string(),
  createdAt: z.string(),
  number: z.string().nullish(),
  name: z.string().nullish(),
});
export type VapiNumber = z.output<typeof phoneNumber>;

/** Credentials of the Twilio account that a number belongs to. */
export interface TwilioAccount {
  accountSid: string;
  authToken: string;
}

/** One of the numbers that Vapi knows, by its E.164 form; the list has no filter for it. */
export async function findPhoneNumber(
  options: VapiOptions,
  number: string,
  signal: AbortSignal,
): Promise<VapiNumber | undefined> {
  for await (const page of readPages(options, "phone-number", phoneNumber, signal)) {
    const found = page.find((one) => one.number === number);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Brings a number of Twilio's to Vapi, which sets at Twilio that its calls come there. */
export async function importFromTwilio(
  options: VapiOptions,
  { accountSid, authToken }: TwilioAccount,
  { number, name, assistantId }: { number: string; name: string; assistantId: string | null },
  signal: AbortSignal,
): Promise<VapiNumber> {
  const json = {
    provider: "twilio",
    number,
    twilioAccountSid: accountSid,
    twilioAuthToken: authToken,
    // Its messages go where they went before.
    smsEnabled: false,
    name,
    ...(assistantId === null ? {} : { assistantId }),
  };
  const secrets = [authToken];
  const made = await callVapi(options, { method: "POST", path: "phone-number", json, secrets, signal });
  return readAnswer(phoneNumber, made);
}

/** Who answers it from now on; null: nobody. */
export async function assignPhoneNumber(
  options: VapiOptions,
  { id, provider }: Pick<VapiNumber, "id" | "provider">,
  assistantId: string | null,
  signal: AbortSignal,
): Promise<void> {
  const path = `phone-number/${encodeURIComponent(id)}`;
  const json = { provider, assistantId };
  readAnswer(phoneNumber, await callVapi(options, { method: "PATCH", path, json, signal }));
}

/** Vapi forgets it; whoever sold it keeps it. One that is gone already counts as deleted. */
export async function deletePhoneNumber(
  options: VapiOptions,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `phone-number/${encodeURIComponent(id)}`;
  await callVapi(options, { method: "DELETE", path, signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
