/** What a message that is nothing but a word asks for. */
export type OptOutWish = "stop" | "start" | null;

/** Short words only, and only when they are all there is: "stop the delivery" is a question. */
const STOP = new Set([
  "stop",
  "stopall",
  "stop all",
  "unsubscribe",
  "opt out",
  "optout",
  "cancel subscription",
  "basta",
  "cancella iscrizione",
  "disiscrivimi",
  "disiscriviti",
  "stopp",
  "abmelden",
  "abbestellen",
  "arret",
  "arrêt",
  "arreter",
  "arrêter",
  "desabonner",
  "désabonner",
  "se désabonner",
  "baja",
  "darme de baja",
  "alto",
  "cancelar suscripción",
  "cancelar suscripcion",
  "parar",
  "sair",
  "uitschrijven",
  "afmelden",
]);
const START = new Set(["start", "unstop", "inizia", "riprendi", "anmelden", "reprendre", "alta", "iniciar"]);

/** @param text all that a person wrote at once, or a button's payload */
export function wishOf(text: string): OptOutWish {
  const word = text
    .trim()
    .toLowerCase()
    .replace(/^[\s"'«“„]+|[\s.!?"'»”“]+$/gu, "")
    .replace(/[\s_-]+/g, " ");
  if (STOP.has(word)) return "stop";
  return START.has(word) ? "start" : null;
}
