import type { FrameLocator, Page } from "playwright-core";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { startTestServer } from "../support.ts";
import { keepPicture, openPage, type Visit } from "./browser.ts";
import { expectTold, type Link, said, signIn, startStage, toldTo } from "./connect-stage.ts";
import { startPartnerPage } from "./partner-page.ts";

const stage = await startStage();
const { meta, server, newLink, openFramed, frameIn } = stage;
const stranger = await startPartnerPage();

beforeEach(stage.reset);
afterAll(async () => {
  await stage.close();
  await stranger.close();
});

describe("where Meta's window cannot work", () => {
  test("a window that is blocked leads to a new tab, and the frame shows what came of it", async () => {
    const link = await newLink();
    const visit = await openPage({ width: 640 });
    await visit.page.addInitScript("if (window !== top) window.open = () => null;");
    const { page, frame } = await frameIn(visit, link);
    await expectConnectedInNewTab(link, page, frame, visit);
  });

  test("so does a partner whose page cuts windows off (COOP)", async () => {
    const link = await newLink();
    const { page, frame, ...visit } = await openFramed(link, { coop: "same-origin" });
    await expectConnectedInNewTab(link, page, frame, { page, ...visit });
  });

  test("so does a script of Meta's that an ad blocker keeps away", async () => {
    const link = await newLink();
    const visit = await openPage({ width: 640 });
    await visit.page.route("**/sdk.js", (route) => route.abort());
    const { frame } = await frameIn(visit, link);
    await frame.getByRole("button", { name: "Continue with Meta" }).click();
    await said(frame, "an ad blocker may be the reason");
    await frame.getByRole("link", { name: "Open in a new tab" }).waitFor();
  });

  test("a window that falls silent leaves the choice, and is listened to all the same", async () => {
    const { page, frame } = await openFramed(await newLink());
    const popup = await signIn(page, frame);
    await popup.locator('[data-outcome="finish"]').waitFor();
    // What the browser says when the reader comes back from the window.
    await page.frames()[1]?.evaluate("window.dispatchEvent(new Event('focus'))");
    await said(frame, "Is the window gone");
    await frame.getByRole("link", { name: "Open in a new tab" }).first().waitFor();
    await frame.getByRole("button", { name: "Start again" }).waitFor();
    await popup.locator('[data-outcome="finish"]').click();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  });

  test("a window that Meta itself cuts off looks closed, and a new tab is offered", async () => {
    meta.signup({ coop: true });
    const { page, frame } = await openFramed(await newLink());
    await signIn(page, frame);
    await said(frame, "Nothing was changed");
    await frame.getByRole("link", { name: "Open in a new tab" }).waitFor();
  });
});

describe("a link in a tab of its own", () => {
  test("connects through Meta's dialog, and says whose it is before", async () => {
    const link = await newLink({ allow_top_level: true });
    meta.signup({ business: meta.addBusiness() });
    const { page, complaints } = await openPage({ width: 640 });
    await page.goto(link.url);
    await said(page, "Continue only if you came here from Acme yourself.");
    expect(page.url()).not.toContain("token");
    await page.reload();
    await page.getByRole("button", { name: "Continue with Meta" }).click();
    await page.waitForURL(/dialog\/oauth/);
    expect(page.url()).not.toContain(link.token);
    expect(new URL(page.url()).searchParams.get("redirect_uri")).toBe(
      `${server.url}/connect/whatsapp/return`,
    );
    await page.locator('[data-outcome="finish"]').click();
    await page.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    expect(page.url()).toBe(`${server.url}/connect/whatsapp/return`);
    expect((await link.show()).body.whatsapp.status).toBe("active");
    await page.reload();
    await page.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    // Each reload passes over a page without its token, which is answered 404; Meta's has no icon.
    expect(complaints.filter((text) => text.includes(server.url) && !text.includes("404"))).toEqual([]);
  });

  test("that is given up at Meta can be begun again", async () => {
    const link = await newLink({ allow_top_level: true });
    const { page } = await openPage();
    await page.goto(link.url);
    await page.getByRole("button", { name: "Continue with Meta" }).click();
    await page.locator('[data-outcome="cancel"]').click();
    await said(page, "Nothing was changed");
    expect(await page.content()).not.toContain("Permissions error");
    await page.getByRole("button", { name: "Start again" }).click();
    await page.locator('[data-outcome="finish"]').click();
    await page.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  });

  test("is refused when it was made for a frame", async () => {
    const link = await newLink();
    const { page } = await openPage();
    await page.goto(link.url);
    await page.getByRole("heading", { name: "Open this where it belongs" }).waitFor();
  });

  test("a code that Meta brings to a tab that asked for none is not used", async () => {
    const business = meta.addBusiness();
    const code = meta.issueCode(business, { redirectUri: `${server.url}/connect/whatsapp/return` });
    const { page, requests } = await openPage();
    await page.goto(`${server.url}/connect/whatsapp/return?code=${code}&state=en.0123456789abcdef`);
    await said(page, "was not started in this browser tab");
    expect(page.url()).not.toContain(code);
    expect(requests.filter((url) => url.includes("/onboard"))).toEqual([]);
    expect(meta.requests.filter(({ query }) => query.code === code)).toEqual([]);
  });
});

describe("who may not", () => {
  test("a foreign page is refused to frame the link", async () => {
    const link = await newLink();
    const { page, complaints } = await openPage();
    await page.goto(stranger.framing(link.url));
    await expect.poll(() => complaints.join("\n")).toContain("frame-ancestors");
    await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/);
    expect(await toldTo(page)).toEqual([]);
  });

  test("a token in another workspace's address opens nothing", async () => {
    const [mine, other] = [await newLink(), await newLink({}, { workspace: "Sales" })];
    const { page } = await openPage();
    await page.goto(`${other.url.split("?")[0]}?token=${mine.token}`);
    await page.getByRole("heading", { name: "This link leads nowhere" }).waitFor();
  });

  test("…evilfacebook.com is not heard when it speaks as Meta, business.facebook.com is", async () => {
    // As in production: no origins in the settings, so that facebook.com and all that is under it may speak.
    const { META_DIALOG_ORIGINS: _, ...environment } = meta.environment();
    const real = await startTestServer(environment);
    try {
      for (const [host, isHeard] of [
        ["www.evilfacebook.com", false],
        ["business.facebook.com", true],
      ] as const) {
        const visit = await openPage();
        await visit.page
          .context()
          .route(`https://${host}/`, (route) => route.fulfill({ contentType: "text/html", body: SPEAKER }));
        const link = await newLink({}, { on: real });
        const { page, frame } = await frameIn(visit, link, { beside: `https://${host}/` });
        await frame.getByRole("button", { name: "Continue with Meta" }).waitFor();
        await expect.poll(() => page.frames().some((each) => each.url() === `https://${host}/`)).toBe(true);
        await signIn(page, frame);
        if (isHeard) await said(frame, "Reference for support: spoken");
        else await page.waitForTimeout(3_000);
        expect(await frame.getByRole("heading", { name: "Go on in Meta’s window" }).isVisible(), host).toBe(
          !isHeard,
        );
        // A server that ends waits for connections that a browser keeps open.
        await visit.page.context().close();
      }
    } finally {
      await real.close();
    }
  });
});

describe("for every reader", () => {
  test("the keyboard alone is enough, and the focus goes where the page goes on", async () => {
    const link = await newLink();
    meta.signup({ business: meta.addBusiness({ numbers: [{ pin: "424242" }] }), automatic: "finish" });
    const { page, frame } = await openFramed(link);
    await frame.getByRole("button", { name: "Continue with Meta" }).waitFor();
    const popup = page.waitForEvent("popup");
    await page.keyboard.press("Tab");
    expect(await focusedIn(page)).toContain("Continue with Meta");
    await page.keyboard.press("Enter");
    await popup;
    await frame.getByLabel("Six-digit PIN").waitFor();
    expect(await focusedIn(page)).toContain("Enter the number’s PIN");
    await page.keyboard.press("Tab");
    await page.keyboard.type("424242");
    await page.keyboard.press("Enter");
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    expect(await focusedIn(page)).toContain("WhatsApp is connected");
    expect(await frame.getByRole("status").textContent()).toContain("The assistant now answers");
  });

  test.each(["en", "it", "es", "de", "fr"])(
    "a small screen needs no scrolling sideways (%s)",
    async (language) => {
      const link = await newLink({ allow_top_level: true, mode: "coexistence" });
      const { page } = await openPage({ width: 320, dark: language === "fr" });
      await page.goto(`${link.url}&lang=${language}`);
      await page.locator("h1:visible").waitFor();
      expect(await page.evaluate("document.documentElement.lang")).toBe(language);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
      await keepPicture(page, `connect-320-${language}`);
    },
  );

  test("without JavaScript the page says what it needs and whose it is", async () => {
    const link = await newLink({ allow_top_level: true });
    const { page } = await openPage({ javaScript: false, locale: "es-ES" });
    await page.goto(link.url);
    expect(await page.locator("noscript").textContent()).toContain("Esta página necesita JavaScript");
    expect(await page.locator("dl").textContent()).toContain("Acme");
  });
});

/** A frame's page that calls the frame beside it a failed sign-up, over and over. */
const SPEAKER = `<!doctype html><script>
setInterval(() => parent.frames[0].postMessage(JSON.stringify({
  type: "WA_EMBEDDED_SIGNUP", event: "ERROR", data: { error_message: "no", session_id: "spoken" } }), "*"), 200);
</script>`;

async function expectConnectedInNewTab(
  link: Link,
  page: Page,
  frame: FrameLocator,
  visit: Visit,
): Promise<void> {
  meta.signup({ business: meta.addBusiness() });
  await frame.getByRole("button", { name: "Continue with Meta" }).click();
  await said(frame, "A new tab works.");
  await expectTold(page, { type: "whatsapp.error", code: "popup_blocked" });
  await keepPicture(page, "connect-popup-blocked");
  const opened = page.context().waitForEvent("page", (each) => each.url().includes("/connect-page"));
  await frame.getByRole("link", { name: "Open in a new tab" }).click();
  const tab = await opened;
  await frame.getByRole("heading", { name: "Go on in the new tab" }).waitFor();
  await tab.getByRole("button", { name: "Continue with Meta" }).click();
  await tab.locator('[data-outcome="finish"]').click();
  await tab.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  await keepPicture(tab, "connect-new-tab-connected");
  await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  await expectTold(page, { type: "whatsapp.connected", workspace: link.workspaceSlug });
  expect(visit.complaints).toEqual([]);
}

async function focusedIn(page: Page): Promise<string> {
  return String(await page.frames()[1]?.evaluate("document.activeElement?.textContent"));
}
