import type { Page } from "playwright-core";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { USUAL_WAITS } from "../../src/voice/turn/call-state.ts";
import { answerCallers } from "../call-support.ts";
import { type ChatWorld, newChatWorld, startChatServer, until } from "../chat-support.ts";
import { closeBrowser, keepPicture, openPage, type Reader, type Visit } from "./browser.ts";

// The page must work on the address it was opened at, whatever the public one is.
const server = await startChatServer(
  { PUBLIC_URL: "https://lumenone.example" },
  { callWaits: { ...USUAL_WAITS, keysMs: 200 } },
);
const { model } = server;
const SHOP = { Shop: "# Opening hours\n\nThe shop is open from nine to six. On Sundays it is closed." };
const ANSWER = "We are open from nine to six. On Sundays we are closed. Is there anything else?";
/** It takes minutes to read it out. */
const LONG = `${ANSWER} `.repeat(40);

afterEach(() => model.chat.reset());
afterAll(async () => {
  await closeBrowser();
  await server.close();
});

async function openShop(): Promise<ChatWorld> {
  const world = await newChatWorld(server, SHOP);
  await world.api.post(`${world.path}/voice-integration`, {
    firstMessage: "Hello, this is Acme. How can I help you?",
    transcriber: { provider: "deepgram", model: "nova-3", language: "en" },
  });
  return world;
}

async function openTestPage(world: ChatWorld, reader: Reader = {}): Promise<Visit> {
  const visit = await openPage(reader);
  const { page } = visit;
  await page.goto(`${server.url}/docs/test-call`);
  await page.getByLabel("API key").fill(world.partner.key);
  await page.getByLabel("Account id").fill(world.accountId);
  await page.getByLabel("Workspace").fill(world.workspaceSlug);
  return visit;
}

const transcript = (page: Page) => page.getByRole("log", { name: "Transcript" });
const shows = (page: Page, text: string | RegExp) => transcript(page).getByText(text).first().waitFor();
const say = async (page: Page, text: string) => {
  await page.getByLabel("What the caller says").fill(text);
  await page.getByRole("button", { name: "Say" }).click();
};
const call = (page: Page) => page.getByRole("button", { name: "Call", exact: true }).click();

async function lastCall(world: ChatWorld) {
  const path = `${world.path}/voice-integration/call-logs`;
  await until(async () => (await world.api.get(path)).body.call_logs[0]?.ended_reason != null);
  return (await world.api.get(path)).body.call_logs[0];
}

/** All that the last line of the transcript said, one after the other. */
const WATCH_WORDS = `window.seen = new Set();
new MutationObserver(() => seen.add(document.querySelector("#transcript p:last-child span").textContent))
  .observe(document.getElementById("transcript"), { childList: true, subtree: true, characterData: true })`;

/** Nothing left this server, and the browser had nothing to say. */
function expectQuiet({ requests, complaints }: Visit): void {
  expect(requests.filter((url) => new URL(url).host !== new URL(server.url).host)).toEqual([]);
  expect(complaints).toEqual([]);
}

describe("the test call page", () => {
  test("holds a call: greeting, answer word by word with its latency, a tool, hanging up", async () => {
    const world = await openShop();
    const visit = await openTestPage(world);
    const { page } = visit;
    await keepPicture(page, "test-call-setup");
    answerCallers(
      server,
      { toolCalls: [{ name: "book_table", arguments: { persons: 2 } }] },
      { texts: [ANSWER] },
    );
    await call(page);
    await page.getByRole("status").getByText("Connected").waitFor();
    await shows(page, "Hello, this is Acme. How can I help you?");
    await page.evaluate(WATCH_WORDS);
    await say(page, "When are you open?");
    await shows(page, ANSWER);
    expect(await page.evaluate("seen.size")).toBeGreaterThan(10);
    await shows(page, /^Tool book_table: failed, \d+ ms$/);
    await shows(page, /^\d+ ms, \d+ of them ours$/);
    await keepPicture(page, "test-call-answered");
    await page.getByRole("button", { name: "Hang up" }).click();
    await page.getByRole("heading", { name: "The call has ended" }).waitFor();
    await page.getByText("caller_hung_up").waitFor();
    await keepPicture(page, "test-call-ended");
    const logged = await lastCall(world);
    expect(logged).toMatchObject({ provider: "browser", ended_reason: "caller_hung_up" });
    await page.getByText(logged.id).waitFor();
    expectQuiet(visit);
  });

  test("interrupts by speaking: what was not heard is not in the history", async () => {
    const world = await openShop();
    const visit = await openTestPage(world);
    const { page } = visit;
    answerCallers(server, { texts: [LONG] }, { texts: ["At six."] });
    await call(page);
    await shows(page, "Hello, this is Acme. How can I help you?");
    await say(page, "When are you open?");
    await shows(page, /^We are open from nine/);
    await keepPicture(page, "test-call-speaking");
    await say(page, "When do you close?");
    await shows(page, "At six.");
    await shows(page, "interrupted");
    await page.getByRole("button", { name: "Hang up" }).click();
    await page.getByRole("heading", { name: "The call has ended" }).waitFor();
    const heard = (await lastCall(world)).transcript.find(
      ({ interrupted }: { interrupted: boolean }) => interrupted,
    );
    expect(heard.text).toMatch(/^We are open from nine/);
    expect(heard.text.length).toBeLessThan(LONG.length / 2);
    // Other questions may have been asked since: the call is summed up.
    expect(model.chat.seen.some(({ messages }) => messages.some(({ text }) => text === heard.text))).toBe(
      true,
    );
    expectQuiet(visit);
  });

  test("can be used with the keyboard alone, and presses keys", async () => {
    const world = await openShop();
    const visit = await openTestPage(world);
    const { page } = visit;
    answerCallers(server, { texts: ["You chose one."] });
    await page.getByLabel("Workspace").press("Enter");
    await page.getByRole("status").getByText("Connected").waitFor();
    const focused = () => page.evaluate("document.activeElement?.id");
    expect(await focused()).toBe("words");
    await page.keyboard.press("Escape");
    await shows(page, "interrupted");
    await page.getByRole("button", { name: "Press 1" }).focus();
    await page.keyboard.press("Enter");
    await shows(page, "You chose one.");
    await page.getByRole("button", { name: "Hang up" }).focus();
    await page.keyboard.press("Space");
    await page.getByRole("heading", { name: "The call has ended" }).waitFor();
    expect(await focused()).toBe("outcome-title");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("dial");
    expectQuiet(visit);
  });

  test("says why there is no call, and keeps no key in the browser", async () => {
    const world = await openShop();
    const { page } = await openTestPage(world);
    await page.getByLabel("Workspace").fill("no-such-workspace");
    await call(page);
    const alert = page.getByRole("alert");
    await alert.getByText(/workspace/i).waitFor();
    await page.getByLabel("API key").fill("lo_wrong");
    await call(page);
    await alert.getByText(/key/i).waitFor();
    await keepPicture(page, "test-call-refused");
    expect(
      await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie"),
    ).toBe("{}");
    await page.reload();
    expect(await page.getByLabel("API key").inputValue()).toBe("");
  });

  test.each([
    ["light", false],
    ["dark", true],
  ])("fits 320 pixels, %s", async (theme, dark) => {
    const world = await openShop();
    const visit = await openTestPage(world, { dark, width: 320 });
    const { page } = visit;
    answerCallers(server, { texts: [ANSWER] });
    await keepPicture(page, `test-call-narrow-setup-${theme}`);
    await call(page);
    await page.getByLabel("Show words at once").check();
    await say(page, "When are you open?");
    await shows(page, ANSWER);
    await page.evaluate("window.scrollTo(0, 0)");
    await keepPicture(page, `test-call-narrow-${theme}`);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    const [red = 128] = String(background).match(/\d+/g)?.map(Number) ?? [];
    expect(red < 80).toBe(dark);
    await page.evaluate("window.scrollTo(0, document.body.scrollHeight)");
    await keepPicture(page, `test-call-narrow-end-${theme}`);
    expectQuiet(visit);
  });
});
