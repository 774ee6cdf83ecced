import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

/** A page in a browser of its own, with what it asked for and complained of. */
export interface Visit {
  page: Page;
  /** The URL of every request that the page made, `data:` and `blob:` left out. */
  requests: string[];
  /** Errors and warnings of the console, and exceptions. */
  complaints: string[];
}

let browser: Promise<Browser> | undefined;

export interface Reader {
  dark?: boolean;
  /** `it-IT`: what the browser asks for. */
  locale?: string;
  /** In pixels of CSS. */
  width?: number;
  javaScript?: false;
}

/** Opens an empty page in Chromium; closed with the process that runs the tests. */
export async function openPage(options: Reader = {}): Promise<Visit> {
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const context = await (await browser).newContext({
    viewport: { width: options.width ?? 1280, height: 900 },
    javaScriptEnabled: options.javaScript ?? true,
    ...(options.locale !== undefined && { locale: options.locale }),
    colorScheme: options.dark === true ? "dark" : "light",
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    if (/^https?:|^wss?:/.test(request.url())) requests.push(request.url());
  });
  page.on("console", (message) => {
    const { url } = message.location();
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} (${url})`);
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, requests, complaints };
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** Keeps a picture when `SCREENSHOTS` names a folder for them. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined || folder === "") return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
