import type { FrameLocator, Page } from "playwright-core";
import { expect } from "vitest";
import { type MetaSimulator, startMeta } from "../simulators/meta/meta.ts";
import { type Client, client, hex, newPartner, startTestServer, type TestServer } from "../support.ts";
import { closeBrowser, openPage, type Reader, type Visit } from "./browser.ts";
import { type FramingOptions, type PartnerPage, startPartnerPage } from "./partner-page.ts";

/** Three origins, as in life: the partner's page, ours in its frame, and Meta's window. */
export interface Stage {
  partner: PartnerPage;
  meta: MetaSimulator;
  server: TestServer;
  /** Meta's window does as it is told by its buttons, for a business that nobody knows yet. */
  reset(): void;
  /** A link that the partner's page may frame, of a workspace of its own. */
  newLink(wanted?: object, place?: Place): Promise<Link>;
  openFramed(link: Link, options?: FramingOptions, reader?: Reader): Promise<Framed>;
  frameIn(visit: Visit, link: Link, options?: FramingOptions): Promise<Framed>;
  close(): Promise<void>;
}

export interface Link {
  url: string;
  token: string;
  /** In hex, as in a path. */
  orgSlug: string;
  /** The original, as in a body. */
  workspaceSlug: string;
  api: Client;
  show(): ReturnType<Client["get"]>;
}

export type Framed = Visit & { frame: FrameLocator };

interface Place {
  on?: TestServer;
  workspace?: string;
}

/** @param start another server, which is given the settings that lead to Meta's stand-in */
export async function startStage(
  start: (environment: Record<string, string>) => Promise<TestServer> = startTestServer,
): Promise<Stage> {
  const partner = await startPartnerPage();
  const meta = await startMeta();
  const server = await start(meta.environment());
  const frameIn = async (visit: Visit, link: Link, options: FramingOptions = {}) => {
    await visit.page.goto(partner.framing(link.url, options));
    return { ...visit, frame: visit.page.frameLocator("#connect") };
  };
  return {
    partner,
    meta,
    server,
    reset() {
      const quiet = { automatic: null, order: "message-first", pauseMs: 0, coop: false, code: {} } as const;
      meta.signup({ ...quiet, business: null });
    },
    newLink: (wanted = {}, { on = server, workspace = "Support" } = {}) =>
      createLink(on, partner.origin, workspace, wanted),
    frameIn,
    openFramed: async (link, options = {}, reader = {}) =>
      frameIn(await openPage({ width: 640, ...reader }), link, options),
    async close() {
      await closeBrowser();
      await server.close();
      await Promise.all([meta.close(), partner.close()]);
    },
  };
}

async function createLink(on: TestServer, origin: string, name: string, wanted: object): Promise<Link> {
  const { key } = await newPartner(on.app);
  const account = { name: "Acme", allowed_origins: [origin] };
  const made = await client(on.url, key).post("/v1/accounts", account);
  const api = client(on.url, key, made.body.account.id);
  const { slug } = (await api.post("/v1/orgs", { name: "Acme" })).body.organization;
  const { workspace } = (await api.post(`/v1/org/${slug}/workspaces`, { name })).body;
  const path = `/v1/workspace/${hex(workspace.originalSlug)}/whatsapp`;
  const { token } = (await api.post(`${path}/connect-token`, wanted)).body;
  return {
    url: `${on.url}/api${path}/connect-page?token=${token}`,
    token,
    orgSlug: slug,
    workspaceSlug: workspace.originalSlug,
    api,
    show: () => api.get(path),
  };
}

/** Waits until it can be read. What is only for screen readers says it once more. */
export async function said(where: Page | FrameLocator, text: string | RegExp): Promise<void> {
  await where.locator("section").getByText(text).first().waitFor();
}

/** Meta's window, opened by the click. */
export async function signIn(page: Page, frame: FrameLocator, button = "Continue with Meta"): Promise<Page> {
  const popup = page.waitForEvent("popup");
  await frame.getByRole("button", { name: button }).click();
  return popup;
}

interface Told {
  type: string;
  [fact: string]: unknown;
}

/** What the partner's page was told. */
export async function toldTo(page: Page): Promise<Told[]> {
  return asTold(JSON.parse(await page.evaluate("JSON.stringify(window.told)")));
}

export async function expectTold(page: Page, facts: Told): Promise<void> {
  await expect
    .poll(() => toldTo(page))
    .toContainEqual(expect.objectContaining({ source: "lumenone", version: 1, ...facts }));
}

/** What our page posts is an object with a type. */
function asTold(told: unknown): Told[] {
  return told as Told[];
}
