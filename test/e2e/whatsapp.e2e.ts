import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { keepPicture } from "./browser.ts";
import { expectTold, said, signIn, startStage, toldTo } from "./connect-stage.ts";

const stage = await startStage();
const { meta, newLink, openFramed } = stage;

beforeEach(stage.reset);
afterAll(stage.close);

describe("connecting a number in a partner's frame", () => {
  test.each([
    {
      locale: "it-IT",
      dark: false,
      title: "Collega WhatsApp",
      start: "Continua con Meta",
      done: "WhatsApp è collegato",
    },
    {
      locale: "de-DE",
      dark: true,
      title: "WhatsApp verbinden",
      start: "Weiter mit Meta",
      done: "WhatsApp ist verbunden",
    },
  ])("ends with a number that is connected and a partner who is told ($locale)", async (reader) => {
    const link = await newLink();
    const { page, frame, complaints } = await openFramed(link, {}, { ...reader, width: 640 });
    await frame.getByRole("heading", { name: reader.title }).waitFor();
    await keepPicture(page, `connect-${reader.locale}-ready`);

    meta.signup({ business: meta.addBusiness({ numbers: [{}, {}] }) });
    const popup = await signIn(page, frame, reader.start);
    await popup.locator("#number").selectOption({ index: 1 });
    const chosen = await popup.locator("#number").inputValue();
    await popup.locator('[data-outcome="finish"]').click();
    await frame.getByRole("heading", { name: reader.done }).waitFor();
    await keepPicture(page, `connect-${reader.locale}-connected`);

    const { whatsapp } = (await link.show()).body;
    expect(whatsapp).toMatchObject({ status: "active", phone_number_id: chosen });
    const told = await toldTo(page);
    expect(told.map(({ type }) => type).filter((type) => type !== "whatsapp.resize")).toEqual([
      "whatsapp.ready",
      "whatsapp.connected",
    ]);
    expect(told.at(-1)?.type === "whatsapp.resize" ? told.at(-2) : told.at(-1)).toEqual({
      source: "lumenone",
      type: "whatsapp.connected",
      version: 1,
      workspace: link.workspaceSlug,
      connection_id: whatsapp.connection_id,
      display_phone_number: whatsapp.display_phone_number,
      status: "active",
    });
    expect(JSON.stringify(told)).not.toContain(link.token);
    expect(complaints).toEqual([]);
  });

  test("takes the link's token out of the address at once, and keeps nothing in the browser", async () => {
    const link = await newLink();
    const { page, frame } = await openFramed(link);
    await frame.getByRole("button", { name: "Continue with Meta" }).waitFor();
    const inside = page.frames()[1];
    expect(inside?.url()).toBe(link.url.split("?")[0]);
    expect(await inside?.evaluate(KEPT)).toBe("{}");
    expect(await page.context().cookies()).toEqual([]);
  });

  test("lets a number be chosen when Meta did not say which", async () => {
    const link = await newLink();
    const business = meta.addBusiness({ numbers: [{}, {}, {}] });
    meta.signup({ business, automatic: "no-message" });
    const { page, frame } = await openFramed(link);
    await signIn(page, frame);
    await frame.getByRole("heading", { name: "Which number" }).waitFor();
    await frame.getByRole("radio").nth(2).check();
    await keepPicture(page, "connect-choose");
    await frame.getByRole("button", { name: "Use this number" }).click();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    expect((await link.show()).body.whatsapp.phone_number_id).toBe(business.numbers[2]?.id);
  });

  test("takes the code before the message as well as after it", async () => {
    const link = await newLink();
    const business = meta.addBusiness({ numbers: [{}, {}] });
    meta.signup({ business, order: "code-first", pauseMs: 400 });
    const { page, frame } = await openFramed(link);
    const popup = await signIn(page, frame);
    await popup.locator("#number").selectOption({ index: 1 });
    await popup.locator('[data-outcome="finish"]').click();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    expect((await link.show()).body.whatsapp.phone_number_id).toBe(business.numbers[1]?.id);
  });

  test("asks for the PIN until it is right, without another sign-in", async () => {
    const link = await newLink();
    meta.signup({ business: meta.addBusiness({ numbers: [{ pin: "424242" }] }), automatic: "finish" });
    const { page, frame } = await openFramed(link);
    await signIn(page, frame);
    const pin = frame.getByLabel("Six-digit PIN");
    await pin.waitFor();
    expect(await frame.locator("#pin-wrong").isVisible()).toBe(false);
    await pin.fill("12ab");
    await pin.press("Enter");
    await said(frame, "Enter exactly six digits.");
    await pin.fill("111111");
    await pin.press("Enter");
    await frame.locator("#pin-wrong", { hasText: "That PIN was not right" }).waitFor();
    await keepPicture(page, "connect-pin");
    await pin.fill("424242");
    await pin.press("Enter");
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    expect(
      page
        .context()
        .pages()
        .filter((each) => each !== page && !each.isClosed()),
    ).toEqual([]);
  });

  test("has a number confirmed by a code that Meta sends", async () => {
    const link = await newLink();
    const business = meta.addBusiness({ numbers: [{ codeVerificationStatus: "NOT_VERIFIED" }] });
    const [number] = business.numbers;
    meta.signup({ business, automatic: "finish" });
    const { page, frame } = await openFramed(link);
    await signIn(page, frame);
    await frame.getByRole("button", { name: "Text message" }).click();
    await said(frame, "The code is on its way");
    const code = number?.verificationCode ?? "";
    await frame.getByLabel("Six-digit code").fill(code === "000000" ? "000001" : "000000");
    await frame.getByRole("button", { name: "Confirm" }).click();
    await frame.locator("#verify-wrong", { hasText: "was not accepted" }).waitFor();
    await frame.getByLabel("Six-digit code").fill(code);
    await frame.getByRole("button", { name: "Confirm" }).click();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  });

  test("says that Meta still looks at the name, and that nothing is left to do", async () => {
    const link = await newLink();
    meta.signup({
      business: meta.addBusiness({ numbers: [{ nameReviewAttempts: 5 }] }),
      automatic: "finish",
    });
    const { page, frame } = await openFramed(link);
    await signIn(page, frame);
    await frame.getByRole("heading", { name: "Meta is reviewing your display name" }).waitFor();
    expect(await frame.getByRole("button", { name: "Check again" }).isVisible()).toBe(false);
    await expectTold(page, { type: "whatsapp.connected", status: "pending_name_review" });
  });

  test("goes on where it stopped when the partner's page is loaded again", async () => {
    const link = await newLink();
    meta.signup({ business: meta.addBusiness({ numbers: [{ pin: "424242" }] }), automatic: "finish" });
    const { page, frame } = await openFramed(link);
    await signIn(page, frame);
    await frame.getByLabel("Six-digit PIN").waitFor();
    await page.reload();
    await frame.getByLabel("Six-digit PIN").fill("424242");
    await frame.getByRole("button", { name: "Continue" }).click();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    await page.reload();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    await expectTold(page, { type: "whatsapp.connected", workspace: link.workspaceSlug });
  });
});

describe("a sign-up that does not come to its end", () => {
  test("that was cancelled can be begun again", async () => {
    const link = await newLink();
    const { page, frame } = await openFramed(link);
    await (await signIn(page, frame)).locator('[data-outcome="cancel"]').click();
    await said(frame, "Nothing was changed");
    await expectTold(page, { type: "whatsapp.cancelled" });
    await keepPicture(page, "connect-cancelled");
    await (await signIn(page, frame)).locator('[data-outcome="finish"]').click();
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  });

  test("that was closed is taken as cancelled", async () => {
    const { page, frame } = await openFramed(await newLink());
    await (await signIn(page, frame)).close();
    await said(frame, "Nothing was changed");
  });

  test("in which Meta reported a problem shows the reference to ask for", async () => {
    const { page, frame } = await openFramed(await newLink());
    await (await signIn(page, frame)).locator('[data-outcome="error"]').click();
    await said(frame, /Reference for support: [\da-f-]{36}/);
    await expectTold(page, { type: "whatsapp.error", code: "meta_reported" });
  });

  test("of which the code got lost offers a new tab, since nothing can be found out without it", async () => {
    const { page, frame } = await openFramed(await newLink());
    await (await signIn(page, frame)).locator('[data-outcome="no-auth-response"]').click();
    await said(frame, "did not tell us the result");
    await frame.getByRole("link", { name: "Open in a new tab" }).waitFor();
    await expectTold(page, { type: "whatsapp.error", code: "no_code" });
  });

  test("because the number is connected elsewhere says so, and begins anew", async () => {
    const business = meta.addBusiness();
    meta.signup({ business, automatic: "finish" });
    const first = await openFramed(await newLink());
    await signIn(first.page, first.frame);
    await first.frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
    const { page, frame } = await openFramed(await newLink());
    await signIn(page, frame);
    await said(frame, "already connected elsewhere");
    await expectTold(page, { type: "whatsapp.error", code: "number_in_use" });
    meta.signup({ business: meta.addBusiness() });
    await signIn(page, frame, "Start again");
    await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  });
});

/** What the frame has stored; a browser may not even let it. */
const KEPT = `(() => { try { return JSON.stringify({ ...localStorage, ...sessionStorage }); } catch { return "{}"; } })()`;
