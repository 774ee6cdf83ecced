import type { Language } from "./language.ts";
import { PHRASES } from "./phrases.ts";

/** What became of a tool's call in this turn. */
export interface CallRecord {
  tool: string;
  /** It may change something outside. */
  acts: boolean;
  status: "ok" | "failed";
}

/**
 * What an answer must add to be true: that a tool failed, where it does not say so itself, or that nothing was done,
 * where it claims so in the first person and no tool has. Empty when nothing is missing.
 *
 * @param doneBefore whether an earlier turn of the conversation did something that this one may speak of
 */
export function correctionsOf(
  answer: string,
  calls: readonly CallRecord[],
  language: Language,
  doneBefore: boolean,
): string[] {
  const phrases = PHRASES[language];
  const failed = failedTools(calls).filter((tool) => !admitsFailure(answer, tool));
  if (failed.length > 0) return failed.map((tool) => phrases.toolFailed.replace("{tool}", tool));
  const done = doneBefore || calls.some(({ acts, status }) => acts && status === "ok");
  return !done && claimsDeed(answer) && !FAILURE.test(answer) ? [phrases.nothingDone] : [];
}

/** Whether the answer says in the first person that something was done. */
export function claimsDeed(answer: string): boolean {
  return DEEDS.some((pattern) => pattern.test(answer));
}

/** Tools that change something, whose last call failed: a later success makes an earlier failure good. */
function failedTools(calls: readonly CallRecord[]): string[] {
  const last = new Map(calls.filter(({ acts }) => acts).map(({ tool, status }) => [tool, status]));
  return [...last].filter(([, status]) => status === "failed").map(([tool]) => tool);
}

/** It names no tool, as people do not; a word of failure is enough unless it also claims the deed. */
function admitsFailure(answer: string, tool: string): boolean {
  return FAILURE.test(answer) && (!claimsDeed(answer) || answer.includes(tool));
}

const FAILURE = new RegExp(
  [
    "\\b(?:fail(?:ed|s|ure)?|error|unable|unsuccessful|problem|not able|could ?n[o']t|couldn’t|cannot|can['’]t|(?:was|were|did|has|have) ?(?:not|n['’]t))\\b",
    "\\b(?:non (?:è|sono|ho|è stato|posso|riesco|ha)|impossibile|errore|fallit[oai]|problema)\\b",
    "\\b(?:nicht|leider|fehlgeschlagen|fehler|gescheitert|unmöglich|kein[e]?)\\b",
    "\\b(?:échou[ée]|erreur|impossible|n['’](?:a|ai|est) pas|pas pu|problème)",
    "\\b(?:no (?:se|he|pude|ha|puedo)|error|falló|fallado|imposible)\\b",
    "\\b(?:não|erro|falhou|impossível)\\b",
    "\\b(?:niet|mislukt|fout|helaas)\\b",
  ].join("|"),
  "iu",
);

const VERBS = {
  en: "booked|reserved|sent|emailed|cancell?ed|created|updated|changed|deleted|removed|scheduled|rescheduled|ordered|refunded|transferred|forwarded|registered|submitted|placed|added|confirmed|notified|informed|arranged|moved|paid|saved|completed|processed",
  it: "prenotato|inviato|mandato|annullato|cancellato|creato|aggiornato|modificato|eliminato|ordinato|rimborsato|trasferito|inoltrato|registrato|confermato|aggiunto|avvisato|spostato|pagato|effettuato|completato|fissato",
  de: "gebucht|reserviert|gesendet|geschickt|storniert|erstellt|angelegt|aktualisiert|geändert|gelöscht|bestellt|erstattet|überwiesen|weitergeleitet|registriert|bestätigt|hinzugefügt|informiert|verschoben|bezahlt|vereinbart|eingetragen|abgeschlossen",
  fr: "réservé|envoyé|annulé|créé|modifié|supprimé|commandé|remboursé|transféré|transmis|enregistré|confirmé|ajouté|informé|déplacé|payé|planifié",
  es: "reservado|enviado|cancelado|creado|actualizado|cambiado|eliminado|pedido|reembolsado|transferido|registrado|confirmado|añadido|avisado|movido|pagado|programado",
  pt: "reservei|enviei|cancelei|criei|atualizei|alterei|eliminei|encomendei|reembolsei|transferi|registei|registrei|confirmei|adicionei|avisei|agendei",
  nl: "geboekt|gereserveerd|verzonden|verstuurd|geannuleerd|aangemaakt|bijgewerkt|gewijzigd|verwijderd|besteld|terugbetaald|doorgestuurd|geregistreerd|bevestigd|toegevoegd|verplaatst|betaald|ingepland",
} as const;

/** First person only: that "orders are confirmed by mail" is what a document says. */
const DEEDS: readonly RegExp[] = [
  new RegExp(`\\b(?:I|we)(?:['’]ve| have|) (?:just |now |already |successfully )*(?:${VERBS.en})\\b`, "iu"),
  new RegExp(
    `\\byour [\\p{L} ]{1,40} (?:has|have) (?:now |just |already |successfully )*been (?:${VERBS.en})\\b`,
    "iu",
  ),
  new RegExp(`\\b(?:ho|abbiamo|l['’]ho|ti ho|le ho|vi ho) (?:già |appena |subito )*(?:${VERBS.it})`, "iu"),
  new RegExp(`\\b(?:ich|wir) habe?n?\\b[^.!?\\n]{0,80}\\b(?:${VERBS.de})\\b`, "iu"),
  new RegExp(`\\bhabe ich\\b[^.!?\\n]{0,80}\\b(?:${VERBS.de})\\b`, "iu"),
  new RegExp(
    `(?:\\bj['’](?:ai|y ai)|\\bje (?:vous |l['’])ai|\\bnous avons) (?:bien |déjà )*(?:${VERBS.fr})`,
    "iu",
  ),
  new RegExp(`\\b(?:he|hemos|le he|te he) (?:ya )?(?:${VERBS.es})`, "iu"),
  new RegExp(`(?<![\\p{L}])(?:${VERBS.pt})(?![\\p{L}])`, "iu"),
  new RegExp(`\\b(?:ik|wij|we) (?:heb|hebben)\\b[^.!?\\n]{0,80}\\b(?:${VERBS.nl})\\b`, "iu"),
];
