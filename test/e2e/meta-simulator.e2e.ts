import { createServer } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type MetaSimulator, startMeta } from "../simulators/meta/meta.ts";
import type { SignupOutcome } from "../simulators/meta/signup-dialog.ts";
import { closeBrowser, openPage, type Visit } from "./browser.ts";

// What the tests of the connect page stand on: the stand-in for Facebook's SDK and its window.
const meta = await startMeta();
const host = await startHost(meta);

afterAll(async () => {
  await closeBrowser();
  await host.close();
  await meta.close();
});

beforeEach(() => {
  meta.dialogs.length = 0;
  meta.signup({
    business: meta.addBusiness(),
    automatic: null,
    order: "message-first",
    pauseMs: 0,
    messageAs: "string",
    coop: false,
    code: {},
    allowedOrigins: null,
    redirectUris: null,
  });
});

describe("the stand-in for Facebook's SDK", () => {
  test("gives the page a code that can be exchanged, and the ids as a message, in either order", async () => {
    const business = meta.addBusiness({ numbers: [{}, {}] });
    for (const order of ["message-first", "code-first"] as const) {
      meta.signup({ business, order, pauseMs: 20 });
      const { page } = await openHost();
      const popup = await openPopup(page);
      const [, second] = business.numbers;
      await popup.selectOption("#number", second?.id ?? "");
      await popup.locator('button[data-outcome="finish"]').click();
      const heard = await heardBy(page, 2);
      expect(heard.map(({ kind }) => kind)).toEqual(
        order === "message-first" ? ["message", "callback"] : ["callback", "message"],
      );
      expect(heard.find(({ kind }) => kind === "message")).toEqual({
        kind: "message",
        origin: meta.url,
        data: {
          type: "WA_EMBEDDED_SIGNUP",
          event: "FINISH",
          version: "3",
          data: {
            phone_number_id: second?.id,
            waba_id: business.wabaId,
            business_id: business.businessId,
          },
        },
      });
      const { code } = heard.find(({ kind }) => kind === "callback")?.answer.authResponse ?? {};
      expect(await exchange(String(code))).toBe(200);
    }
  });

  test.for<[SignupOutcome, string | null, boolean]>([
    ["finish", "FINISH", true],
    ["only-waba", "FINISH_ONLY_WABA", true],
    ["coexistence", "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", true],
    ["no-auth-response", "FINISH", false],
    ["no-message", null, true],
    ["cancel", "CANCEL", false],
    ["report", "CANCEL", false],
    ["error", "ERROR", false],
    ["close", null, false],
  ])("ends with %s: message %s, code %s", async ([outcome, event, hasCode]) => {
    meta.signup({ automatic: outcome });
    const { page } = await openHost();
    await page.click("#connect");
    const heard = await heardBy(page, event === null ? 1 : 2);
    expect(heard.find(({ kind }) => kind === "message")?.data.event ?? null).toBe(event);
    const { status, authResponse } = heard.find(({ kind }) => kind === "callback")?.answer ?? {};
    expect(status).toBe(hasCode ? "connected" : "unknown");
    expect(authResponse?.code !== undefined).toBe(hasCode);
  });

  test("may post the message as an object", async () => {
    meta.signup({ automatic: "finish", messageAs: "object" });
    const { page } = await openHost();
    await page.click("#connect");
    const heard = await heardBy(page, 2);
    expect(heard.find(({ kind }) => kind === "message")?.data).toMatchObject({
      type: "WA_EMBEDDED_SIGNUP",
      event: "FINISH",
    });
  });

  test("shows an error, and tells the page nothing, when an option is not what Meta wants", async () => {
    const wrong = ["config_id=1", "response_type=token", "override_default_response_type=false"];
    for (const option of wrong) {
      const { page } = await openHost(`?${option}`);
      const popup = await openPopup(page);
      expect(await popup.textContent("h1")).toBe("Sorry, something went wrong.");
      expect(meta.dialogs.at(-1)?.problem).not.toBeNull();
    }
    meta.signup({ allowedOrigins: ["https://elsewhere.example"] });
    const { page } = await openHost();
    const popup = await openPopup(page);
    expect(await popup.textContent("#problem")).toContain("Unknown Host domain");
  });

  test("is cut off from its window by an opener policy, and takes it for closed", async () => {
    meta.signup({ coop: true });
    const { page } = await openHost();
    await page.click("#connect");
    expect(await heardBy(page, 1)).toEqual([
      { kind: "callback", answer: { authResponse: null, status: "unknown" } },
    ]);
  });

  test("opens no window outside a click", async () => {
    const { page } = await openHost("?at-once=1");
    await page.waitForFunction("asked === 1");
    // Long enough for a window that should not be there; one inside a click opens at once.
    await page.waitForTimeout(500);
    expect(meta.dialogs).toEqual([]);
  });
});

describe("the full-page dialog", () => {
  test("comes back with a code for exactly that address, and the state", async () => {
    const { page } = await openPage();
    await page.goto(dialogUrl({ state: "s p+/=" }));
    await page.locator('button[data-outcome="finish"]').click();
    await page.waitForURL(`${host.url}/back*`);
    const { searchParams } = new URL(page.url());
    expect(searchParams.get("state")).toBe("s p+/=");
    const code = searchParams.get("code") ?? "";
    expect(await exchange(code, `${host.url}/other`)).toBe(400);
    await page.goto(dialogUrl({}));
    await page.locator('button[data-outcome="finish"]').click();
    await page.waitForURL(`${host.url}/back*`);
    const again = new URL(page.url()).searchParams.get("code") ?? "";
    expect(await exchange(again, `${host.url}/back`)).toBe(200);
  });

  test("comes back with an error when the customer cancels", async () => {
    const { page } = await openPage();
    await page.goto(dialogUrl({ state: "mine" }));
    await page.locator('button[data-outcome="cancel"]').click();
    await page.waitForURL(`${host.url}/back*`);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({
      error: "access_denied",
      state: "mine",
    });
  });

  test("goes nowhere that is not listed", async () => {
    meta.signup({ redirectUris: ["https://elsewhere.example/back"] });
    const { page } = await openPage();
    await page.goto(dialogUrl({}));
    expect(await page.textContent("#problem")).toContain("URL blocked");
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what a page heard, read as a page without types does
type Heard = { kind: "message" | "callback"; [key: string]: any };

async function openHost(query = ""): Promise<Visit> {
  const visit = await openPage();
  await visit.page.goto(`${host.url}/${query}`);
  await visit.page.waitForFunction("'FB' in window");
  return visit;
}

async function openPopup(page: Page): Promise<Page> {
  const opening = page.waitForEvent("popup");
  await page.click("#connect");
  const popup = await opening;
  await popup.waitForLoadState("networkidle");
  return popup;
}

async function heardBy(page: Page, count: number): Promise<Heard[]> {
  await page.waitForFunction(`heard.length >= ${count}`);
  return await page.evaluate("heard");
}

async function exchange(code: string, redirectUri?: string): Promise<number> {
  const query = new URLSearchParams({
    client_id: meta.appId,
    client_secret: meta.appSecret,
    code,
    ...(redirectUri !== undefined && { redirect_uri: redirectUri }),
  });
  return (await fetch(`${meta.url}/v25.0/oauth/access_token?${query}`)).status;
}

function dialogUrl(more: Record<string, string>): string {
  const query = new URLSearchParams({
    client_id: meta.appId,
    config_id: meta.configId,
    response_type: "code",
    override_default_response_type: "true",
    redirect_uri: `${host.url}/back`,
    ...more,
  });
  return `${meta.url}/v25.0/dialog/oauth?${query}`;
}

/** A page as Meta's documentation has it: the SDK, a button, and a listener. */
async function startHost({ url, appId, configId }: MetaSimulator) {
  const page = `<!doctype html><button id="connect" onclick="connect()">Connect</button><script>
    const heard = [];
    const changed = Object.fromEntries(new URLSearchParams(location.search));
    let asked = 0;
    window.fbAsyncInit = () => {
      FB.init({ appId: "${appId}", version: "v25.0" });
      if ("at-once" in changed) connect();
    };
    addEventListener("message", ({ origin, data }) => {
      // The SDK posts strings of its own, which are no JSON.
      if (typeof data === "string" && !data.startsWith("{")) return;
      heard.push({ kind: "message", origin, data: typeof data === "string" ? JSON.parse(data) : data });
    });
    function connect() {
      asked += 1;
      const options = { config_id: "${configId}", response_type: "code", override_default_response_type: true };
      FB.login((answer) => heard.push({ kind: "callback", answer: {
        status: answer.status,
        authResponse: answer.authResponse && { code: answer.authResponse.code },
      } }), { ...options, extras: { setup: {} }, ...changed });
    }
  </script><script async defer crossorigin="anonymous" src="${url}/sdk.js"></script>`;
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://localhost:${typeof address === "object" ? address?.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
