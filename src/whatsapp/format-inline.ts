/** Stand for what must not be read again; nobody writes them, they are taken out of what comes in. */
const [OPEN, CLOSE, BOLD, ITALIC, STRIKE] = ["\ue000", "\ue001", "\ue002", "\ue003", "\ue004"];
const RESERVED = /[\ue000-\ue004]/g;
const CODE = /(`{1,8})([^`](?:.{0,4000}?[^`])?)\1(?!`)/g;
const LINK =
  /!?\[([^[\]]{0,1000})\]\(\s*<?([^\s<>()]{0,2000}(?:\([^\s<>()]{0,200}\)[^\s<>()]{0,2000})?)>?(?:\s+"[^"]{0,500}")?\s*\)/g;
const ADDRESS = /<?((?:https?:\/\/|mailto:)[^\s<>\ue000-\ue004]{1,2000})>?/g;
const ESCAPED = /\\([!-/:-@[-`{-~])/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
};

/** One line's emphasis and links in WhatsApp's notation. */
export function toInline(line: string): string {
  return convert(line, { bold: "*", italic: "_", strike: "~" });
}

/** The same without emphasis, for what is bold as a whole. */
export function toPlain(line: string): string {
  return convert(line, { bold: "", italic: "", strike: "" }).replaceAll("*", "");
}

function convert(line: string, marks: { bold: string; italic: string; strike: string }): string {
  const kept: string[] = [];
  const keep = (text: string) => `${OPEN}${kept.push(text) - 1}${CLOSE}`;
  const text = line
    .replace(RESERVED, "")
    .replace(CODE, (_, __, code: string) => keep(`\`${code}\``))
    .replace(LINK, (_, label: string, address: string) =>
      label.trim() === "" || label === address ? keep(address) : `${label} (${keep(address)})`,
    )
    .replace(ADDRESS, (_, address: string) => keep(address))
    .replace(ESCAPED, (_, sign: string) => keep(sign))
    .replace(/<br\s*\/?>/gi, " ")
    .replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? entity);
  const emphasized = text
    .replace(/\*\*\*(?=\S)(.{1,4000}?)(?<=\S)\*\*\*/g, `${BOLD}${ITALIC}$1${ITALIC}${BOLD}`)
    .replace(/\*\*(?=\S)(.{1,4000}?)(?<=\S)\*\*/g, `${BOLD}$1${BOLD}`)
    .replace(/(?<![\w_])__(?=\S)(.{1,4000}?)(?<=\S)__(?![\w_])/g, `${BOLD}$1${BOLD}`)
    .replace(/(?<![\w*])\*(?=[^\s*])([^*]{1,4000}?)(?<=\S)\*(?![\w*])/g, `${ITALIC}$1${ITALIC}`)
    .replace(/(?<![\w_])_(?=[^\s_])([^_]{1,4000}?)(?<=\S)_(?![\w_])/g, `${ITALIC}$1${ITALIC}`)
    .replace(/~~(?=\S)(.{1,4000}?)(?<=\S)~~/g, `${STRIKE}$1${STRIKE}`)
    .replaceAll(BOLD, marks.bold)
    .replaceAll(ITALIC, marks.italic)
    .replaceAll(STRIKE, marks.strike);
  return restore(restore(emphasized, kept), kept);
}

/** What was kept may itself hold something that was. */
function restore(text: string, kept: readonly string[]): string {
  return text.replace(/\ue000(\d+)\ue001/g, (_, place: string) => kept[Number(place)] ?? "");
}
