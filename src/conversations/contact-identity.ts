import type { IdentityKind } from "./channel.ts";

/** One thing that a person is recognised by. */
export interface ContactIdentity {
  kind: IdentityKind;
  /** `phone`: E.164, also for WhatsApp. `whatsapp`: an id that hides the number. `external`: the partner's own id. */
  value: string;
}

const E164 = /^\+[1-9]\d{6,14}$/;
const VALUE_MAX = 320;

/**
 * In the one form that is stored, so that the same person is found again: sorted and without repetitions.
 *
 * @throws Error for a phone number that is not in E.164 form; who calls has it from a provider, and must convert it
 */
export function normalizeIdentities(identities: readonly ContactIdentity[]): ContactIdentity[] {
  const unique = new Map<string, ContactIdentity>();
  for (const { kind, value } of identities) {
    const normal = { kind, value: normalizeValue(kind, value) };
    unique.set(`${kind} ${normal.value}`, normal);
  }
  if (unique.size === 0) throw new Error("a person is recognised by at least one identity");
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, identity]) => identity);
}

function normalizeValue(kind: IdentityKind, given: string): string {
  const value = given.trim().normalize("NFC");
  if (kind === "phone" && !E164.test(value)) throw new Error("a phone number is not in E.164 form");
  if (value === "" || value.length > VALUE_MAX)
    throw new Error(`an identity of the kind ${kind} is empty or too long`);
  return kind === "email" ? value.toLowerCase() : value;
}
