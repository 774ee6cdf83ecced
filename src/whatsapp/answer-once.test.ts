import { beforeEach, describe, expect, test } from "vitest";
import { startChatServer, until } from "../../test/chat-support.ts";
import { newWhatsAppWorld, newWriter, QUICK, sharedMeta } from "../../test/whatsapp-support.ts";
import { startWhatsAppAnswers } from "./answer.ts";
import { claimIn, finish, giveBack, LostClaim, reclaimAnswers, renew } from "./answer-claim.ts";

const meta = await sharedMeta();
/** Nobody answers but whom a test starts. */
const server = await startChatServer(meta.environment(), { whatsapp: false });
const { app } = server;
const NONE = new Map<string, number>();
const AT_ONCE = { quietMs: 0, maxMs: 0 };

beforeEach(() => {
  server.model.chat.reset();
  server.model.chat.always({ texts: ["Yes."] });
});

const newRoom = () => newWhatsAppWorld(server, meta);
const claimAll = () => app.db.asSystem("whatsapp", (tx) => claimIn(tx, 100, NONE, AT_ONCE));

async function withAnswers<T>(count: number, work: () => Promise<T>, options = QUICK): Promise<T> {
  const answers = Array.from({ length: count }, () => startWhatsAppAnswers(app, options));
  try {
    return await work();
  } finally {
    await Promise.all(answers.map((one) => one.stop()));
  }
}

describe("a message", () => {
  test("that Meta sends several times at once, to several processes, is answered once", async () => {
    const room = await newRoom();
    const people = Array.from({ length: 8 }, () => newWriter());
    await withAnswers(3, async () => {
      const sent = people.map(({ from, bsuid }, i) => {
        const payload = meta.webhook.message(room.number, { from, bsuid, wamid: `wamid.twice-${from}-${i}` });
        return meta.webhook.send(server.url, payload, { times: 4, parallel: true });
      });
      await Promise.all(sent);
      for (const person of people) await room.answered(person, 1, 20_000);
      await room.settled();
      // Meta repeats itself for days.
      await Promise.all(
        sent.map((_, i) =>
          room.write(people[i] ?? newWriter(), { wamid: `wamid.twice-${people[i]?.from}-${i}` }),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    });
    for (const person of people) {
      expect(room.textsTo(person)).toEqual(["Yes."]);
      expect((await room.conversation(person)).messages).toHaveLength(2);
    }
    expect(server.model.chat.seen).toHaveLength(8);
  }, 60_000);

  test("whose process died is answered by the next, and the dead one's late answer is dropped", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "Hello");
    const dead = startWhatsAppAnswers(app, QUICK);
    server.model.chat.say({ texts: ["Too ", "late."], firstDelayMs: 3_000 });
    await until(() => server.model.chat.seen.length === 1);
    await app.db.asSystem("whatsapp", (tx) =>
      tx
        .updateTable("whatsapp_inbox")
        .set({ lease_until: new Date(Date.now() - 1_000) })
        .where("workspace_id", "=", room.workspaceId)
        .execute(),
    );
    await withAnswers(1, async () => {
      await room.answered(ada);
      await until(() => server.model.chat.streams[0]?.over === true, 10_000);
      await new Promise((resolve) => setTimeout(resolve, 500));
    });
    await dead.stop();
    expect(room.textsTo(ada)).toEqual(["Yes."]);
    expect((await room.conversation(ada)).messages).toMatchObject([{ role: "user" }, { text: "Yes." }]);
  }, 30_000);

  test("that is being answered when the process stops is answered after the next start", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "Hello");
    server.model.chat.say({ texts: ["Never."], firstDelayMs: 20_000 });
    await withAnswers(1, () => until(() => server.model.chat.seen.length === 1));
    expect(room.textsTo(ada)).toEqual([]);
    await withAnswers(1, () => room.answered(ada));
    expect(room.textsTo(ada)).toEqual(["Yes."]);
    expect((await room.conversation(ada)).messages).toHaveLength(2);
  }, 30_000);
});

describe("a claim", () => {
  test("has all that a person wrote, in its order, and nobody else gets any of it meanwhile", async () => {
    const room = await newRoom();
    const [ada, bob] = [newWriter(), newWriter()];
    for (const body of ["1", "2"]) await room.write(ada, body);
    await room.write(bob, "3");
    const claims = await claimAll();
    expect(claims.map(({ rows }) => rows.map(({ raw }) => textOf(raw)))).toEqual([["1", "2"], ["3"]]);
    await room.write(ada, "4");
    expect(await claimAll()).toEqual([]);
    const [first] = claims;
    if (first === undefined) throw new Error("nothing was claimed");
    expect(await renew(app, first)).toBe(true);
    await giveBack(app, first, 0);
    expect(await renew(app, first)).toBe(false);
    const again = await claimAll();
    expect(again.map(({ rows }) => rows.map(({ raw }) => textOf(raw)))).toEqual([["1", "2", "4"]]);
    await reclaimAnswers(app);
    const [mine] = await claimAll();
    expect(mine?.first.attempts).toBe(2);
    const late = app.db.asSystem("whatsapp", (tx) => finish(tx, again[0]?.rows ?? []));
    await expect(late).rejects.toThrow(LostClaim);
    await app.db.asSystem("whatsapp", (tx) => finish(tx, mine?.rows ?? []));
    await app.db.asSystem("whatsapp", (tx) => tx.deleteFrom("whatsapp_inbox").execute());
  });

  test("waits until the person pauses, but not for ever", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "1");
    const claim = (quietMs: number, maxMs: number) =>
      app.db.asSystem("whatsapp", (tx) => claimIn(tx, 10, NONE, { quietMs, maxMs }));
    expect(await claim(60_000, 60_000)).toEqual([]);
    expect(await claim(60_000, 0)).toHaveLength(1);
    await app.db.asSystem("whatsapp", (tx) => tx.deleteFrom("whatsapp_inbox").execute());
  });

  test("takes numbers in turns, and leaves places free when one has many people", async () => {
    const [busy, quiet] = [await newRoom(), await newRoom()];
    const crowd = Array.from({ length: 40 }, () => newWriter());
    const payloads = crowd.map(({ from, bsuid }) => meta.webhook.message(busy.number, { from, bsuid }));
    await meta.webhook.send(server.url, meta.webhook.batch(...payloads));
    await quiet.write(newWriter(), "And me?");
    const first = await app.db.asSystem("whatsapp", (tx) => claimIn(tx, 4, NONE, AT_ONCE));
    expect(
      first.map(({ first: { phone_number_id: id } }) => id).filter((id) => id === quiet.number.id),
    ).toHaveLength(1);
    const running = new Map([[busy.number.id, 3]]);
    const second = await app.db.asSystem("whatsapp", (tx) => claimIn(tx, 100, running, AT_ONCE));
    expect(second).toHaveLength(13);
    await app.db.asSystem("whatsapp", (tx) => tx.deleteFrom("whatsapp_inbox").execute());
  });
});

test("one number's backlog keeps nobody at another waiting", async () => {
  const [busy, quiet] = [await newRoom(), await newRoom()];
  const crowd = Array.from({ length: 120 }, () => newWriter());
  const payloads = crowd.map(({ from, bsuid }) => meta.webhook.message(busy.number, { from, bsuid }));
  await meta.webhook.send(server.url, meta.webhook.batch(...payloads));
  server.model.chat.always({ texts: ["Yes."], firstDelayMs: 400 });
  const ada = newWriter();
  await withAnswers(1, async () => {
    await until(() => meta.sent.some(({ phoneNumberId }) => phoneNumberId === busy.number.id), 20_000);
    const written = performance.now();
    await quiet.write(ada, "Quick one?");
    await quiet.answered(ada, 1, 20_000);
    const tookMs = performance.now() - written;
    const left = 120 - meta.sent.filter(({ phoneNumberId }) => phoneNumberId === busy.number.id).length;
    expect(left).toBeGreaterThan(0);
    // The pause after a message, the model, and what this machine takes.
    expect(tookMs).toBeLessThan(4_000);
    await busy.settled(60_000);
  });
}, 120_000);

function textOf(raw: unknown): string {
  return JSON.parse(JSON.stringify(raw)).message.text.body;
}
