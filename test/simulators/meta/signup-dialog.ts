import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import { type CodeOptions, issueCode, type MetaWorld, newBusiness, type SimBusiness } from "./meta-world.ts";

const OUTCOMES = [
  "finish",
  "only-waba",
  "coexistence",
  "no-auth-response",
  "no-message",
  "cancel",
  "report",
  "error",
  "close",
] as const;

/** How a sign-up ends. `close`: the window is closed; `report`: the customer reported a problem. */
export type SignupOutcome = (typeof OUTCOMES)[number];

export interface SignupSettings {
  /** Whose it is; a new one with one number, when it is null. */
  business: SimBusiness | null;
  /** Without a click; null: the buttons decide. */
  automatic: SignupOutcome | null;
  /** Which of the two comes first; Meta promises nothing. */
  order: "message-first" | "code-first";
  /** Between the two. */
  pauseMs: number;
  /** What the message is; Meta has posted both. */
  messageAs: "string" | "object";
  /** The window is cut off from its opener by `Cross-Origin-Opener-Policy: same-origin`. */
  coop: boolean;
  /** Of the code that comes of it. */
  code: CodeOptions;
  /** Pages that may use the SDK; null: all. */
  allowedOrigins: string[] | null;
  /** Where the full-page dialog may lead; null: anywhere. */
  redirectUris: string[] | null;
}

/** A dialog that a page or a browser opened. */
export interface SimDialog {
  query: Record<string, string>;
  extras: unknown;
  /** Why Meta showed an error instead; null: it did not. */
  problem: string | null;
}

export interface SignupDialog {
  settings: SignupSettings;
  dialogs: SimDialog[];
  answer(request: MetaRequest): MetaAnswer | undefined;
}

const askedSchema = z.object({
  outcome: z.enum(OUTCOMES),
  phoneNumberId: z.string().nullable(),
  query: z.string(),
});

const SDK = readFileSync(new URL("./browser/sdk.js", import.meta.url));
const PAGE = readFileSync(new URL("./browser/signup.html", import.meta.url), "utf8");

/** The part of Meta that stands in a browser. */
export function signupDialog(world: MetaWorld): SignupDialog {
  const settings: SignupSettings = {
    business: null,
    automatic: null,
    order: "message-first",
    pauseMs: 0,
    messageAs: "string",
    coop: false,
    code: {},
    allowedOrigins: null,
    redirectUris: null,
  };
  const dialogs: SimDialog[] = [];

  function openDialog({ query }: MetaRequest): MetaAnswer {
    const problem = problemOf(world, settings, query);
    dialogs.push({ query, extras: parseJson(query.extras ?? "{}"), problem });
    const headers = {
      "x-frame-options": "DENY",
      ...(settings.coop && { "cross-origin-opener-policy": "same-origin" }),
    };
    return problem === null ? { status: 200, headers, body: PAGE } : errorPage(problem);
  }

  function business(): SimBusiness {
    settings.business ??= newBusiness(world);
    return settings.business;
  }

  return {
    settings,
    dialogs,
    answer(request) {
      const { method, path } = request;
      if (method === "GET" && path === "/sdk.js") return sdkScript();
      if (method === "GET" && /^\/v\d+\.\d+\/dialog\/oauth$/.test(path)) return openDialog(request);
      if (path !== "/_simulator/signup") return undefined;
      if (method === "GET") return { status: 200, body: choicesOf(settings, business()) };
      return { status: 200, body: endSignup(world, settings, business(), askedSchema.parse(request.body)) };
    },
  };
}

function sdkScript(): MetaAnswer {
  const headers = {
    "content-type": "application/x-javascript; charset=utf-8",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
  };
  return { status: 200, headers, body: SDK };
}

/** What Meta would show a page of its own for, and send nobody back. */
function problemOf(world: MetaWorld, settings: SignupSettings, query: Record<string, string>): string | null {
  const { client_id, config_id, response_type, override_default_response_type, extras = "{}" } = query;
  if (client_id !== world.appId)
    return "Invalid App ID: The provided app ID does not look like a valid app ID.";
  if (config_id !== world.configId) return "Invalid configuration ID.";
  if (response_type !== "code") return "Invalid response_type: it must be code.";
  if (override_default_response_type !== "true") return "override_default_response_type must be true.";
  if (!z.record(z.string(), z.unknown()).safeParse(parseJson(extras)).success)
    return "extras is no JSON object.";
  if (query.display === "popup") return originProblem(settings, query.origin);
  const { redirect_uri: uri } = query;
  if (uri === undefined || !URL.canParse(uri)) return "The parameter redirect_uri is required.";
  if (settings.redirectUris !== null && !settings.redirectUris.includes(uri)) {
    return "URL blocked: This redirect failed because the redirect URI is not white-listed in the app's client OAuth settings.";
  }
  return null;
}

function originProblem({ allowedOrigins }: SignupSettings, origin: string | undefined): string | null {
  if (origin === undefined) return "The page's origin is missing.";
  if (allowedOrigins === null || allowedOrigins.includes(origin)) return null;
  return "JSSDK Unknown Host domain: The domain you are hosting the Facebook Javascript SDK is not in your app's domains.";
}

function errorPage(problem: string): MetaAnswer {
  const text = problem.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const body = `<!doctype html><html lang="en"><title>Error</title><h1>Sorry, something went wrong.</h1><p id="problem">${text}</p>`;
  return { status: 200, body };
}

function choicesOf(settings: SignupSettings, { numbers }: SimBusiness): object {
  const choices = numbers.map(({ id, displayPhoneNumber }) => ({ id, label: displayPhoneNumber }));
  return { choices, automatic: settings.automatic };
}

/** Where the browser is sent, or what the opener is told. */
function endSignup(
  world: MetaWorld,
  settings: SignupSettings,
  business: SimBusiness,
  asked: z.output<typeof askedSchema>,
): object {
  const query = Object.fromEntries(new URLSearchParams(asked.query));
  const isOver = ["cancel", "report", "error", "close"].includes(asked.outcome);
  if (query.display !== "popup") {
    const back = new URL(query.redirect_uri ?? "");
    const said = isOver
      ? {
          error: "access_denied",
          error_code: "200",
          error_description: "Permissions error",
          error_reason: "user_denied",
        }
      : { code: issueCode(world, business, { ...settings.code, redirectUri: query.redirect_uri ?? "" }) };
    for (const [name, value] of Object.entries(said)) back.searchParams.set(name, value);
    if (query.state !== undefined) back.searchParams.set("state", query.state);
    back.hash = "_=_";
    return { redirect: back.href, posts: [], pauseMs: 0 };
  }
  const message = messageOf(asked, business, world);
  const code =
    isOver || asked.outcome === "no-auth-response" ? null : issueCode(world, business, settings.code);
  const channel = `cb=${query.channel}&domain=localhost&is_canvas=false`;
  const callback = code === null ? null : `${channel}&code=${encodeURIComponent(code)}`;
  const event = message === null || settings.messageAs === "string" ? message : parseJson(message);
  const posts = settings.order === "message-first" ? [event, callback] : [callback, event];
  return { redirect: null, posts: posts.filter((post) => post !== null), pauseMs: settings.pauseMs };
}

/** The event of Embedded Signup, as the string that Meta posts. */
function messageOf(
  { outcome, phoneNumberId }: z.output<typeof askedSchema>,
  { businessId, wabaId }: SimBusiness,
  world: MetaWorld,
): string | null {
  const post = (event: string, data: object) =>
    JSON.stringify({ type: "WA_EMBEDDED_SIGNUP", event, version: "3", data });
  switch (outcome) {
    case "finish":
    case "no-auth-response":
      return post("FINISH", { phone_number_id: phoneNumberId, waba_id: wabaId, business_id: businessId });
    case "only-waba":
      return post("FINISH_ONLY_WABA", { waba_id: wabaId, business_id: businessId });
    case "coexistence":
      return post("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", { waba_id: wabaId });
    case "cancel":
      return post("CANCEL", { current_step: "PHONE_NUMBER_VERIFICATION" });
    case "report":
    case "error":
      return post(outcome === "error" ? "ERROR" : "CANCEL", {
        error_message: "Your phone number is already in use.",
        error_code: "524126",
        session_id: randomUUID(),
        timestamp: Math.floor(world.nowMs() / 1000),
      });
    case "no-message":
    case "close":
      return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
