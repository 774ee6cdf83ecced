import type { Page } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
import { client, newPartner, startTestServer } from "../support.ts";
import { closeBrowser, keepPicture, openPage, type Visit } from "./browser.ts";

// The page must work on the address it was opened at, whatever the public one is.
const server = await startTestServer({ PUBLIC_URL: "https://lumenone.example" });
const { key } = await newPartner(server.app);

afterAll(async () => {
  await closeBrowser();
  await server.close();
});

describe("the reference page", () => {
  test("shows every group of operations and complains of nothing", async () => {
    const visit = await openReference();
    for (const tag of ["Authentication", "Accounts", "Organizations", "Workspaces", "Tools", "Jobs", "Audit"])
      expect(await visit.page.locator(`h3[data-tag="${tag}"]`).count(), tag).toBe(1);
    expect(await visit.page.title()).toBe("LumenOne API reference");
    await keepPicture(visit.page, "docs");
    expectQuiet(visit);
  });

  test("tries an operation with the key that was given to it", async () => {
    const visit = await openReference();
    const { page } = visit;
    await page.getByRole("button", { name: "Authorize" }).click();
    await keyForm(page).locator("input").fill(key);
    await keyForm(page).locator("button[type=submit]").click();
    await keepPicture(page, "docs-authorized");
    await keyForm(page).locator(".btn-done").click();

    const operation = page.locator("#operations-Authentication-verifyKey");
    await operation.locator(".opblock-summary-control").click();
    const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/auth"));
    await operation.getByRole("button", { name: "Execute" }).click();
    expect((await answer).status()).toBe(200);
    const shown = operation.locator(".live-responses-table .response-col_status").nth(1);
    await shown.waitFor();
    expect(await shown.textContent()).toContain("200");
    await operation.scrollIntoViewIfNeeded();
    await keepPicture(page, "docs-executed");
    expectQuiet(visit);
  });

  test("fills in the account and a body, and creates an organization", async () => {
    const visit = await openReference();
    const { page } = visit;
    const created = await client(server.url, key).post("/v1/accounts", { name: "Acme" });
    await page.getByRole("button", { name: "Authorize" }).click();
    await keyForm(page).locator("input").fill(key);
    await keyForm(page).locator("button[type=submit]").click();
    await keyForm(page).locator(".btn-done").click();

    const operation = page.locator("#operations-Organizations-createOrganization");
    await operation.locator(".opblock-summary-control").click();
    await operation.locator('tr[data-param-name="X-Account-Id"] input').fill(created.body.account.id);
    const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/orgs"));
    await operation.getByRole("button", { name: "Execute" }).click();
    expect(await (await answer).json()).toMatchObject({ success: true, organization: { name: "Acme" } });
    await operation.locator(".live-responses-table").waitFor();
    await keepPicture(page, "docs-created");
    expectQuiet(visit);
  });

  test("keeps no key in the browser", async () => {
    const { page } = await openReference();
    await page.getByRole("button", { name: "Authorize" }).click();
    await keyForm(page).locator("input").fill(key);
    await keyForm(page).locator("button[type=submit]").click();
    expect(await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")).not.toContain(key);
  });

  test("is dark where the reader's system is", async () => {
    const visit = await openReference({ dark: true });
    const background = await visit.page.evaluate("getComputedStyle(document.body).backgroundColor");
    const [red = 255] = String(background).match(/\d+/g)?.map(Number) ?? [];
    expect(red).toBeLessThan(80);
    await keepPicture(visit.page, "docs-dark");
    expectQuiet(visit);
  });
});

async function openReference(options: { dark?: boolean } = {}): Promise<Visit> {
  const visit = await openPage(options);
  await visit.page.goto(`${server.url}/docs`);
  await visit.page.locator(".opblock").first().waitFor();
  return visit;
}

/** Nothing left this server, and the browser had nothing to say. */
function expectQuiet({ requests, complaints }: Visit): void {
  expect(requests.filter((url) => new URL(url).origin !== server.url)).toEqual([]);
  expect(complaints).toEqual([]);
}

/** Beside it there is one for the token of a link, which opens one operation only. */
function keyForm(page: Page) {
  return page.locator(".modal-ux form").filter({ hasText: "apiKey" });
}
