import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A question whose one right answer is known: the NAME line of a manual page, and the page without that section. */
export type Question = { text: string; page: number };
export type Corpus = { name: string; language: string; pages: string[]; tune: Question[]; test: Question[] };

const CACHE = new URL("../data/bench-quality/", import.meta.url).pathname;
const PACKAGES = [
  "manpages manpages-dev manpages-es manpages-es-dev manpages-de manpages-fr",
  "coreutils util-linux git-man",
].flatMap((line) => line.split(" "));
/** Pages are cut here: one page is one passage, as in the measurements these are compared with. */
const PAGE_CHARS = 6_000;

/** Downloads Debian's manual pages once, and makes question sets of them. Nothing of them is committed. */
export function loadCorpora(): Corpus[] {
  const root = join(CACHE, "root");
  if (!existsSync(root)) download(root);
  return ["en", "de", "es", "fr"].map((language) => buildCorpus(root, language));
}

function download(root: string): void {
  mkdirSync(CACHE, { recursive: true });
  execFileSync("apt-get", ["download", ...PACKAGES], { cwd: CACHE, stdio: ["ignore", "ignore", "ignore"] });
  for (const file of readdirSync(CACHE).filter((name) => name.endsWith(".deb"))) {
    execFileSync("dpkg-deb", ["-x", join(CACHE, file), root]);
  }
}

function buildCorpus(root: string, language: string): Corpus {
  const folder = join(root, "usr/share/man", language === "en" ? "" : language);
  const pages: string[] = [];
  const questions: Question[] = [];
  const seen = new Set<string>();
  for (const file of listPages(folder)) {
    const page = readPage(file);
    if (!page || seen.has(page.name)) continue;
    seen.add(page.name);
    questions.push({ text: page.name, page: pages.length });
    pages.push(page.body.slice(0, PAGE_CHARS));
  }
  const tune = questions.filter((_, i) => i % 2 === 0);
  const test = questions.filter((_, i) => i % 2 === 1);
  return { name: `man_${language}`, language, pages, tune, test };
}

function listPages(folder: string): string[] {
  const sections = readdirSync(folder).filter((name) => /^man\d$/.test(name));
  const files = sections.flatMap((section) =>
    readdirSync(join(folder, section)).map((name) => join(folder, section, name)),
  );
  return [...new Set(files.map((file) => realpathSync.native(file)))].sort();
}

function readPage(file: string): { name: string; body: string } | null {
  const source = gunzipSync(readFileSync(file)).toString("utf8");
  if (/^\.so /m.test(source.slice(0, 500))) return null;
  const sections = source.split(/^\.S[Hh] */m);
  const at = sections.findIndex((section, i) => i > 0 && NAME.test(section));
  const section = sections[at];
  if (section === undefined) return null;
  const line = section.includes("\n.Nd ")
    ? (section.split("\n.Nd ")[1]?.split("\n")[0] ?? "")
    : afterDash(section);
  const name = plain(line).replace(/\s+/g, " ").trim();
  const body = plain(sections.filter((_, i) => i > 0 && i !== at).join("\n"));
  return name.length < 10 || body.length < 200 ? null : { name, body };
}

const NAME = /^"?(NAME|BEZEICHNUNG|NOMBRE|NOM)"?\s*\n/i;

function afterDash(section: string): string {
  const text = section.replace(NAME, "");
  const dash = text.search(/\s\\?(?:-|\\\(em|\\\(en|–|—)\s/);
  return dash < 0 ? "" : text.slice(dash).replace(/^\s\S+\s/, "");
}

/** Roff to words: requests go, their arguments stay where they are text. */
function plain(roff: string): string {
  return roff
    .replace(
      /^[.'](?:\\"|ig|de|if|ie|el|nr|ds|ft|ad|hy|nh|ta|TH|Dd|Dt|Os|so|in|sp|ps|vs|ne|PD|RS|RE|nf|fi|EX|EE|TS|TE|\.).*$/gm,
      "",
    )
    .replace(/^\.[A-Za-z]{1,3}\b ?/gm, "")
    .replace(/\\f(?:\[[^\]]*\]|\(..|.)/g, "")
    .replace(/\\s[-+]?\d+/g, "")
    .replace(/\\".*$/gm, "")
    .replace(/\\\((?:aq|cq|oq)/g, "'")
    .replace(/\\(?:\*?\(..|\*?\[[^\]]*\])/g, " ")
    .replace(/\\[-]/g, "-")
    .replace(/\\[&|^:/,%cepru~ 0'`]/g, (match) => (match === "\\~" || match === "\\ " ? " " : ""))
    .replace(/"/g, " ");
}
