/** What people say when they are about to hang up, and hardly ever otherwise. */
const GOODBYES = new Set(
  [
    "bye|bye bye|goodbye|good bye|see you|see you later|have a nice day|have a good day|that is all|that's all|that was all",
    "ciao|ciao ciao|arrivederci|arrivederla|buona giornata|buona serata|a presto|è tutto",
    "tschüss|tschüs|tschau|auf wiederhören|auf wiedersehen|wiederhören|schönen tag noch|bis bald|das war alles|das wars|das war's",
    "au revoir|bonne journée|bonne soirée|à bientôt|c'est tout",
    "adiós|adios|hasta luego|hasta pronto|hasta la vista|que tenga un buen día|eso es todo|chao",
    "adeus|tchau|até logo|até breve|bom dia para você|é tudo|é só isso",
    "doei|tot ziens|tot horens|fijne dag|dat was alles|dat is alles",
  ].flatMap((line) => line.split("|")),
);
const PHRASE_WORDS_MAX = 5;

/** What goes along with it. */
const COURTESIES = new Set(
  [
    "ok|okay|alright|right|well|great|fine|good|no|yes|thanks|thank you|thank you very much|thanks a lot|then|and",
    "grazie|grazie mille|va bene|perfetto|allora|no grazie|sì|e",
    "danke|vielen dank|danke schön|gut|super|dann|ja|nein|also|na gut|und",
    "merci|merci beaucoup|d'accord|bien|alors|oui|non|et",
    "gracias|muchas gracias|vale|bueno|sí|y",
    "obrigado|obrigada|muito obrigado|muito obrigada|está bem|bom|então|sim|não",
    "dank je|dank u|dank u wel|bedankt|prima|goed|nee|en",
  ].flatMap((line) => line.split("|")),
);

/**
 * Whether these words say goodbye and nothing else: a question with a "bye" in it is a question. Some of them greet, too:
 * at the beginning of a call they are no goodbye.
 */
export function isGoodbye(text: string): boolean {
  return saysOnly(plain(text).split(" "), false);
}

/** Words that only say that somebody is listening. */
export function isBackchannel(text: string): boolean {
  return /^(?:m+h*m*|h+m+|aha|uh ?huh|ah|oh|okay|ok|ja|yeah|sì|si|oui|sí|sim)$/.test(plain(text));
}

/** Whether the words are goodbyes and courtesies, with at least one goodbye among them. */
function saysOnly(words: readonly string[], hasGoodbye: boolean): boolean {
  if (words.length === 0) return hasGoodbye;
  for (let length = Math.min(PHRASE_WORDS_MAX, words.length); length > 0; length -= 1) {
    const phrase = words.slice(0, length).join(" ");
    const isGoodbyePhrase = GOODBYES.has(phrase);
    if (!isGoodbyePhrase && !COURTESIES.has(phrase)) continue;
    if (saysOnly(words.slice(length), hasGoodbye || isGoodbyePhrase)) return true;
  }
  return false;
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll("’", "'")
    .replace(/[^\p{L}\p{N}' ]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
}
