import type { MetaConfig } from "../../config.ts";
import type { App } from "../../context.ts";
import type { PublicAnswer, PublicRequest } from "../../http/public-route.ts";
import { type PageTokenView, viewPageToken } from "../page-token.ts";
import { chooseLanguage, type Language } from "./language.ts";
import type { Dead, MetaData, PageData } from "./page-data.ts";
import { newNonce, pageHeaders } from "./page-headers.ts";
import { renderPage } from "./render.ts";
import { isTopLevelPass, sealTopLevelPass } from "./top-level-pass.ts";

/** A link that leads to something, whether it still opens it or not. */
type KnownView = Exclude<PageTokenView, { state: "unknown" }>;

const STATUS: Readonly<Record<Dead, number>> = {
  used: 410,
  expired: 410,
  revoked: 410,
  unknown: 404,
  misplaced: 403,
  unavailable: 503,
};

/** What every page's data begins with, where there is nothing to say yet. */
const NOTHING: Omit<PageData, "texts" | "language"> = {
  kind: "connect",
  panel: null,
  dead: null,
  meta: null,
  slug: "",
  account: "",
  workspace: "",
  originalSlug: "",
  expectedPhone: null,
  parentOrigin: null,
  topLevel: false,
  pass: null,
  expiresInMs: null,
  outcome: null,
};

/**
 * The page of a link. Looking at it uses nothing up: links are fetched by mail scanners, pages are reloaded, and a
 * popup may be blocked the first time.
 */
export async function showConnectPage(app: App, request: PublicRequest): Promise<PublicAnswer> {
  const { query, headers, params } = request;
  const token = query.get("token") ?? "";
  const language = chooseLanguage(query.get("lang"), headers["accept-language"]);
  const { meta } = app.config;
  const view = await viewPageToken(app, params.slug ?? "", token, { rendered: true });
  if (view.state === "unknown") return showDead(language, "unknown", null);
  if (view.state !== "valid") return showDead(language, view.state, view);
  if (meta === undefined) return showDead(language, "unavailable", view);

  const topLevel =
    view.embedOrigin === null || view.allowTopLevel || isTopLevelPass(app, token, query.get("pass") ?? "");
  // Browsers that say nothing are asked by the page's own script.
  if (!topLevel && headers["sec-fetch-dest"] === "document") return showDead(language, "misplaced", view);
  return showOffer(app, { view, meta, language, topLevel, pass: sealTopLevelPass(app, token) });
}

/** Where Meta's dialog of a full page leads back to: for every link, so it knows none. The tab does. */
export function showReturnPage(app: App, request: PublicRequest): PublicAnswer {
  // The language is in front of the state, which is otherwise the page's own secret.
  const state = request.query.get("state");
  const language = chooseLanguage(state?.split(".")[0] ?? null, request.headers["accept-language"]);
  const nonce = newNonce();
  const offer = { account: "", workspace: "", expectedPhone: null, mode: "new" } as const;
  return {
    status: 200,
    headers: { ...pageHeaders(nonce, [], app.config.meta ?? null), "x-frame-options": "DENY" },
    body: renderPage({ ...NOTHING, kind: "return", language, topLevel: true }, offer, nonce, null),
  };
}

interface Shown {
  view: KnownView;
  meta: MetaConfig;
  language: Language;
  topLevel: boolean;
  pass: string;
}

function showOffer(app: App, { view, meta, language, topLevel, pass }: Shown): PublicAnswer {
  const nonce = newNonce();
  const parentOrigin = parentOf(view);
  const goesOn = view.resumable && view.outcome !== null && view.outcome.needs !== "new_code";
  const data = {
    ...NOTHING,
    ...knownOf(view),
    language,
    panel: goesOn ? null : ("ready" as const),
    meta: metaData(meta, view.mode),
    expectedPhone: view.expectedPhone,
    parentOrigin,
    topLevel,
    pass,
    expiresInMs: view.resumable ? null : view.expiresAt.getTime() - app.now().getTime(),
    outcome: goesOn ? view.outcome : null,
  };
  const offer = {
    account: view.accountName,
    workspace: view.workspaceName,
    expectedPhone: view.expectedPhone,
    mode: view.mode,
  };
  return {
    status: 200,
    headers: pageHeaders(nonce, parentOrigin === null ? [] : [parentOrigin], meta),
    body: renderPage(data, offer, nonce, meta.sdkUrl),
  };
}

/** In the frame that the link was made for too, as far as it is known: else the parent would see a blank one. */
function showDead(language: Language, dead: Dead, view: KnownView | null): PublicAnswer {
  const nonce = newNonce();
  const known = view === null ? {} : { ...knownOf(view), parentOrigin: parentOf(view) };
  const data = {
    ...NOTHING,
    ...known,
    language,
    panel: "gone" as const,
    dead,
    outcome: view?.outcome ?? null,
  };
  return {
    status: STATUS[dead],
    headers: pageHeaders(nonce, dead === "misplaced" ? [] : (view?.allowedOrigins ?? []), null),
    body: renderPage(data, null, nonce, null),
  };
}

/** An origin that the account has struck off its list since may frame nothing. */
function parentOf({ embedOrigin, allowedOrigins }: KnownView): string | null {
  return embedOrigin !== null && allowedOrigins.includes(embedOrigin) ? embedOrigin : null;
}

function knownOf(view: KnownView) {
  return {
    slug: view.slug,
    account: view.accountName,
    workspace: view.workspaceName,
    originalSlug: Buffer.from(view.slug, "hex").toString("utf8"),
  };
}

function metaData(meta: MetaConfig, mode: KnownView["mode"]): MetaData {
  const coexistence = { featureType: "whatsapp_business_app_onboarding", sessionInfoVersion: "3" };
  const dialogs = meta.dialogOrigins?.map((url) => new URL(url).origin) ?? null;
  return {
    appId: meta.appId,
    configId: meta.configId,
    version: meta.graphVersion,
    extras: mode === "coexistence" ? { ...meta.signupExtras, ...coexistence } : meta.signupExtras,
    dialogOrigin: dialogs?.[0] ?? "https://www.facebook.com",
    messageOrigins: dialogs,
  };
}
