import { z } from "zod";
import { callVapi, isNotFound, readAnswer, type VapiOptions } from "./call-vapi.ts";
import { readPages } from "./read-pages.ts";

const assistant = z.looseObject({
  id: z.string().min(1).max(100),
  createdAt: z.string(),
  name: z.string().nullish(),
});

/** What a request carries, and what of it must not show up in a message. */
export interface Sent {
  body: object;
  secrets: readonly string[];
}

/** @returns Vapi's id of it. Not idempotent: it is looked for by its name first. */
export async function createAssistant(
  options: VapiOptions,
  { body, secrets }: Sent,
  signal: AbortSignal,
): Promise<string> {
  const made = await callVapi(options, { method: "POST", path: "assistant", json: body, secrets, signal });
  return readAnswer(assistant, made).id;
}

/** Replaces what is sent. @returns `false`: there is no such assistant any more */
export async function updateAssistant(
  options: VapiOptions,
  id: string,
  { body, secrets }: Sent,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const path = `assistant/${encodeURIComponent(id)}`;
    readAnswer(assistant, await callVapi(options, { method: "PATCH", path, json: body, secrets, signal }));
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** One that is gone already counts as deleted. */
export async function deleteAssistant(options: VapiOptions, id: string, signal: AbortSignal): Promise<void> {
  const path = `assistant/${encodeURIComponent(id)}`;
  await callVapi(options, { method: "DELETE", path, signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

/** The ids of all assistants of this name; the list has no filter for it. */
export async function findAssistants(
  options: VapiOptions,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const found: string[] = [];
  for await (const page of readPages(options, "assistant", assistant, signal))
    found.push(...page.filter((one) => one.name === name).map(({ id }) => id));
  return found;
}
