import { afterAll, expect, test } from "vitest";
import { endLeftovers, lumenone, startProcess } from "./fault/process.ts";
import { client, hex, testDatabase } from "./support.ts";

afterAll(endLeftovers);

const NOBODY = "00000000-0000-4000-8000-000000000000";

test("requests for numbers are answered from the command line, beside a running server", async () => {
  const settings = { ...(await testDatabase()), BOOTSTRAP: "none" };
  const server = await startProcess(settings);
  const run = (...words: string[]) => lumenone([...words, "--json"], settings);
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(...words);
    expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const partner = (await json("partners", "create", "--name", "Clinic")).id;
  const { key } = await json("keys", "create", "--partner", partner);
  const account = (await client(server.url, key).post("/v1/accounts", { name: "Clinic" })).body.account.id;
  const api = client(server.url, key, account);
  const org = (await api.post("/v1/orgs", { name: "Clinic", slug: "clinic" })).body.organization;
  const path = `/v1/org/${hex("clinic")}/number-requests`;
  const ask = async () =>
    (await api.post(path, { country: "DE", number_type: "local" })).body.number_request.id;
  const [first, second] = [await ask(), await ask()];

  const listed = await json("numbers", "requests", "--status", "pending", "--partner", partner);
  expect(listed).toMatchObject([
    { id: second, partner_id: partner, account_id: account, numbers: [] },
    { id: first, organization_id: org.id },
  ]);
  expect(await json("numbers", "review", first)).toMatchObject({ status: "in_review" });
  expect(
    await json("numbers", "ask", first, "--reason", "No address.", "--next-step", "Send it."),
  ).toMatchObject({ status: "action_required", status_reason: "No address.", next_step: "Send it." });
  expect(await json("numbers", "reject", second, "--reason", "Not in Germany.")).toMatchObject({
    status: "rejected",
  });

  const third = await ask();
  expect(await json("numbers", "approve", third)).toMatchObject({ status: "approved" });
  const attached = await json("numbers", "attach", third, "--number", "+493012345678", "--sms", "yes");
  expect(attached).toMatchObject({
    status: "fulfilled",
    numbers: [{ capabilities: { voice: true, sms: true } }],
  });
  const [number] = await json("numbers", "list", "--scope", "assigned");
  expect(number).toMatchObject({ number: "+493012345678", organization_id: org.id });
  expect(await json("numbers", "list")).toEqual([]);
  expect(await json("numbers", "release", String(number.id))).toMatchObject({ status: "released" });

  const refusals: [string[], RegExp][] = [
    [["numbers", "approve", second], /^A request that is rejected cannot become approved/],
    [["numbers", "approve", NOBODY], /^There is no such number request\.$/],
    [["numbers", "approve", "one"], /^--id takes a UUID, not "one"\.$/],
    [["numbers", "provision", third], /^No carrier that sells numbers is configured/],
    [["numbers", "list", "--scope", "mine"], /^scope: /],
  ];
  const answers = await Promise.all(refusals.map(([words]) => run(...words)));
  for (const [i, [words, sentence]] of refusals.entries()) {
    expect({ words, code: answers[i]?.code }).toEqual({ words, code: 1 });
    expect(answers[i]?.stderr.trim()).toMatch(sentence);
  }
  expect(await run("numbers", "reject", third)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^--reason is missing\.\nUsage: lumenone numbers reject <request id>/),
  });
  await server.stop();
}, 180_000);
