import { afterAll, expect, test } from "vitest";
import { until } from "../chat-support.ts";
import { expectTold, signIn, startStage } from "./connect-stage.ts";

const stage = await startStage();
const { meta, server, newLink, openFramed } = stage;

afterAll(stage.close);

test("a number that was connected in the browser answers from the documents, and names its source", async () => {
  const link = await newLink();
  await link.api.post(`/v1/org/${link.orgSlug}/document/raw-text`, {
    textContent: "The shop in Lyon opens at nine in the morning and closes at seven in the evening.",
    addToWorkspaces: link.workspaceSlug,
    metadata: { title: "Opening hours" },
  });
  const business = meta.addBusiness({ numbers: [{}, {}] });
  meta.signup({ business });
  const { page, frame } = await openFramed(link);
  const popup = await signIn(page, frame);
  await popup.locator("#number").selectOption({ index: 1 });
  await popup.locator('[data-outcome="finish"]').click();
  await frame.getByRole("heading", { name: "WhatsApp is connected" }).waitFor();
  await expectTold(page, { type: "whatsapp.connected", status: "active" });

  const [, number] = business.numbers;
  if (number === undefined) throw new Error("the business has two numbers");
  const question = meta.webhook.message(number, {
    from: "16505551234",
    bsuid: "US.1",
    body: "When does the shop in Lyon open?",
  });
  expect(await meta.webhook.send(server.url, question)).toMatchObject([{ status: 200 }]);
  await until(() => meta.sent.length > 0, 20_000);
  const [answer] = meta.sent;
  expect(answer).toMatchObject({ phoneNumberId: number.id, type: "text" });
  expect(JSON.stringify(answer?.body)).toContain("opens at nine");
  expect(JSON.stringify(answer?.body)).toContain("Opening hours");
});
