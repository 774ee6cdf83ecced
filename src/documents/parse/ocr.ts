import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ParseFailure } from "./parse-failure.ts";
import type { GreyImage } from "./pdfium.ts";
import type { OcrOptions } from "./reader.ts";

/** Reads text from pictures. Synchronous and slow: only for the child process. */
export interface Ocr {
  recogniseGrey(image: GreyImage): string;
  /** PNG, JPEG, WebP or BMP as it lies in the file. @throws ParseFailure `damaged` */
  recogniseFile(bytes: Uint8Array): string;
}

/** The engine for these languages, started once a process. @throws ParseFailure `unavailable` */
export async function openOcr(options: OcrOptions): Promise<Ocr> {
  const key = `${options.langPath ?? ""}:${options.languages.join("+")}`;
  if (opened?.key !== key) opened = { key, ocr: start(options) };
  return opened.ocr;
}

let opened: { key: string; ocr: Promise<Ocr> } | undefined;

async function start(options: OcrOptions): Promise<Ocr> {
  const core = await loadCore();
  for (const language of options.languages)
    core.FS.writeFile(`./${language}.traineddata`, readLanguage(language, options.langPath));
  const api = new core.TessBaseAPI();
  // 1 is the neural engine, the only one the data packages carry.
  if (api.Init(null, options.languages.join("+"), 1) !== 0) throw unavailable(options.languages.join(", "));

  function recognise(file: Uint8Array): string | null {
    core.FS.writeFile("/input", file);
    if (api.SetImageFile(1, 0) !== 0) return null;
    api.Recognize(null);
    const text = api.GetUTF8Text();
    api.Clear();
    return text;
  }

  return {
    recogniseGrey: (image) => recognise(encodePgm(image)) ?? "",
    recogniseFile(bytes) {
      const text = recognise(bytes);
      if (text === null)
        throw new ParseFailure("damaged", "The image is damaged and cannot be opened. Export it again.");
      return text;
    },
  };
}

/** The plainest picture format there is: a line of text and the pixels. */
function encodePgm(image: GreyImage): Uint8Array {
  return Buffer.concat([Buffer.from(`P5\n${image.width} ${image.height}\n255\n`), image.pixels]);
}

function readLanguage(language: string, langPath: string | null): Uint8Array {
  if (!/^[a-z_A-Z]{2,20}$/.test(language)) throw unavailable(language);
  const folder = langPath ?? findPackagedLanguage(language);
  for (const name of [`${language}.traineddata`, `${language}.traineddata.gz`]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const bytes = readFileSync(path);
    return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  }
  throw unavailable(language);
}

/** The integer model is a quarter of the size of the full one, faster, and the one the neural engine wants. */
function findPackagedLanguage(language: string): string {
  try {
    const require = createRequire(import.meta.url);
    return join(dirname(require.resolve(`@tesseract.js-data/${language}/package.json`)), "4.0.0_best_int");
  } catch {
    throw unavailable(language);
  }
}

function unavailable(language: string): ParseFailure {
  return new ParseFailure(
    "unavailable",
    `Text in pictures cannot be read: the language data for "${language}" is not installed on this server.`,
  );
}

/** The few calls used here of the engine's WebAssembly build; its package has no types. */
interface TesseractCore {
  FS: { writeFile(path: string, bytes: Uint8Array): void };
  TessBaseAPI: new () => {
    Init(dataPath: null, languages: string, engine: number): number;
    SetImageFile(exifOrientation: number, angle: number): number;
    Recognize(monitor: null): number;
    GetUTF8Text(): string;
    Clear(): void;
  };
}

/** The build with relaxed SIMD is fastest; processors without it get the next one. */
async function loadCore(): Promise<TesseractCore> {
  const require = createRequire(import.meta.url);
  let failure: unknown;
  for (const build of ["relaxedsimd-lstm", "simd-lstm", "lstm"]) {
    try {
      return asCore(
        await require(`tesseract.js-core/tesseract-core-${build}`)({ TesseractProgress: () => {} }),
      );
    } catch (error) {
      failure = error;
    }
  }
  throw new ParseFailure("unavailable", "Text in pictures cannot be read on this server.", String(failure));
}

/** Guarantee: the pinned version of the package answers this shape; the tests of this folder run all of it. */
function asCore(module: unknown): TesseractCore {
  return module as TesseractCore;
}
