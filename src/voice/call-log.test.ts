import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { hex, newWorld, testServer, type World } from "../../test/support.ts";
import { appendCallEvents } from "./append-call-events.ts";
import type { NewCallEvent } from "./call-events.ts";
import { TOTAL_MAX } from "./call-log.schemas.ts";
import { endCall } from "./end-call.ts";
import type { EndedReason } from "./ended-reasons.ts";
import { openCall } from "./open-call.ts";
import { callOwner } from "./test-support.ts";

const server = await testServer();
const { app } = server;

const LOGS = "/v1/voice-integration/call-logs";
const T0 = Date.parse("2026-05-25T12:00:00.000Z");
const minutes = (count: number) => new Date(T0 + count * 60_000);

interface Made {
  minute?: number;
  seconds?: number;
  from?: string | null;
  direction?: "inbound" | "outbound";
  numberId?: number;
  reason?: EndedReason | "live";
  says?: string;
  tool?: boolean;
}

/** A call from ring to end; its id. */
async function makeCall(world: World, made: Made = {}): Promise<string> {
  const { minute = 0, seconds = 30, from = "+390612345678", direction = "inbound" } = made;
  const startedAt = minutes(minute);
  const owner = callOwner(world);
  const { id } = await openCall(app, owner, {
    direction,
    provider: "test",
    providerCallId: null,
    from: direction === "inbound" ? from : "+390600000000",
    to: direction === "inbound" ? "+390600000000" : from,
    numberId: made.numberId ?? null,
    configuration: null,
    startedAt,
  });
  const at = startedAt;
  const events: NewCallEvent[] = [
    { kind: "answered", at },
    { kind: "caller_said", turnId: "t1", text: made.says ?? "Hello", at },
  ];
  if (made.tool)
    events.push({ kind: "tool_started", turnId: "t1", toolCallId: "c", name: "order_status", at });
  await appendCallEvents(app, owner, id, events);
  const reason = made.reason ?? "caller_hung_up";
  if (reason !== "live")
    await endCall(app, owner, id, { reason, at: new Date(startedAt.getTime() + seconds * 1_000) });
  return id;
}

type Shown = { id: string }[];
const idsOf = (logs: Shown) => logs.map(({ id }) => id);
const encoded = (query: Record<string, string | number>) =>
  new URLSearchParams(
    Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)])),
  ).toString();

async function list(world: World, query: Record<string, string | number> = {}) {
  const reply = await world.api.get(`${LOGS}?${encoded(query)}`);
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  const { body } = reply;
  const own = await world.api.get(
    `/v1/workspace/${hex(world.workspaceSlug)}/voice-integration/call-logs?${encoded(query)}`,
  );
  // In a world of one workspace both endpoints tell the same, but for the two filters that only one has.
  if (query.workspace === undefined && query.organization_id === undefined && query.cursor === undefined)
    expect([idsOf(own.body.call_logs), own.body.total]).toEqual([idsOf(body.call_logs), body.total]);
  return body;
}

describe("a call in the log", () => {
  test("has everything the contract names, also when it is asked for alone", async () => {
    const world = await newWorld(server);
    const id = await makeCall(world, { seconds: 42, says: "When do you deliver?", tool: true, numberId: 7 });
    const { call_logs: logs, total, next_cursor: next } = await list(world);
    expect([total, next]).toEqual([1, null]);
    expect(logs[0]).toMatchObject({
      id,
      workspace: world.workspaceSlug,
      organization_id: world.organizationId,
      direction: "inbound",
      from_number: "+390612345678",
      to_number: "+390600000000",
      number_id: 7,
      started_at: "2026-05-25T12:00:00.000Z",
      ended_at: "2026-05-25T12:00:42.000Z",
      duration_seconds: 42,
      ended_reason: "caller_hung_up",
      ended_by: "caller",
      recording_url: null,
      latency: { turns: 0, p50_ms: null },
      cost: null,
      metadata: {},
      transcript: [
        { role: "user", text: "When do you deliver?", at_ms: 0, interrupted: false },
        { role: "tool", tool: { name: "order_status", status: "unfinished" } },
      ],
    });
    const alone = await world.api.get(`${LOGS}/${id}`);
    expect(alone.body.call_log).toMatchObject({ id, duration_seconds: 42 });
  });

  test("is there from its first ring, and has its transcript when it ends", async () => {
    const world = await newWorld(server);
    await makeCall(world, { reason: "live" });
    const { call_logs: logs } = await list(world);
    expect(logs).toMatchObject([
      { status: "in_progress", ended_at: null, duration_seconds: null, ended_by: null, transcript: [] },
    ]);
  });
});

describe("the filters", () => {
  test("each select what they say, and joined what all of them say", async () => {
    const world = await newWorld(server);
    const short = await makeCall(world, { minute: 1, seconds: 5, reason: "goodbye", says: "Buongiorno" });
    const long = await makeCall(world, { minute: 2, seconds: 500, numberId: 9, tool: true });
    const out = await makeCall(world, { minute: 3, direction: "outbound", from: "+4930123456" });
    const live = await makeCall(world, { minute: 4, reason: "live", from: null });
    const filters: [Record<string, string | number>, string[]][] = [
      [{}, [live, out, long, short]],
      [{ organization_id: world.organizationId }, [live, out, long, short]],
      [{ workspace: world.workspaceSlug }, [live, out, long, short]],
      [{ number_id: 9 }, [long]],
      [{ direction: "outbound" }, [out]],
      [{ direction: "inbound" }, [live, long, short]],
      [{ status: "in_progress" }, [live]],
      [{ status: "ringing" }, []],
      [{ ended_reason: "goodbye" }, [short]],
      [{ from: minutes(2).toISOString() }, [live, out, long]],
      [{ to: minutes(2).toISOString() }, [short]],
      [{ from: minutes(2).toISOString(), to: "2026-05-25T14:03:00+02:00" }, [long]],
      [{ min_duration: 31 }, [long]],
      [{ max_duration: 30 }, [out, short]],
      [{ min_duration: 30, max_duration: 30 }, [out]],
      [{ caller: "+4930123456" }, [out]],
      [{ has_tool_calls: "true" }, [long]],
      [{ has_tool_calls: "false" }, [live, out, short]],
      [{ q: "buongiorno" }, [short]],
      [{ q: "hello" }, [out, long]],
      [{ q: "hello", has_tool_calls: "true" }, [long]],
      [{ q: "hello", has_tool_calls: "false" }, [out]],
      [{ q: "hello", direction: "outbound" }, [out]],
      [{ q: "hello", number_id: 9 }, [long]],
      [{ q: "hello", caller: "+4930123456" }, [out]],
      [{ q: "hello", ended_reason: "caller_hung_up" }, [out, long]],
      [{ q: "hello", organization_id: world.organizationId }, [out, long]],
      [{ q: "hello", min_duration: 31 }, [long]],
      [{ q: "hello", from: minutes(3).toISOString() }, [out]],
      [{ caller: "+390612345678", max_duration: 10, direction: "inbound" }, [short]],
      [{ caller: "+390612345678", ended_reason: "goodbye", q: "hello" }, []],
    ];
    for (const [query, expected] of filters) {
      const { call_logs: logs, total } = await list(world, query);
      expect(idsOf(logs), JSON.stringify(query)).toEqual(expected);
      expect(total, JSON.stringify(query)).toBe(expected.length);
    }
  });

  test.each([
    ["organization_id", "0"],
    ["organization_id", "x"],
    ["workspace", "Not A Slug"],
    ["number_id", "-1"],
    ["direction", "sideways"],
    ["status", "done"],
    ["ended_reason", "unknown"],
    ["from", "yesterday"],
    ["to", "2026-05-25"],
    ["min_duration", "1.5"],
    ["max_duration", "-1"],
    ["caller", "0612345678"],
    ["has_tool_calls", "yes"],
    ["q", ""],
    ["sort", "cost"],
    ["limit", "0"],
    ["cursor", "x"],
    ["colour", "red"],
  ])("refuse %s=%s with 400 and name it", async (name, value) => {
    const world = await newWorld(server);
    const reply = await world.api.get(`${LOGS}?${encoded({ [name]: value })}`);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, `query.${name}`);
  });

  test("by an organization or workspace of somebody else's are 404, as for one that does not exist", async () => {
    const [world, other] = [await newWorld(server), await newWorld(server)];
    for (const id of [other.organizationId, 2_147_483_647])
      expectProblem(await world.api.get(`${LOGS}?organization_id=${id}`), "not_found");
    expectProblem(await world.api.get(`${LOGS}?workspace=nowhere`), "not_found");
  });
});

describe("the words that were said", () => {
  test("are found whatever their case, accents and order; every one must have been said", async () => {
    const world = await newWorld(server);
    const perche = await makeCall(world, { minute: 1, says: "Perché non è arrivato il pacco A-1001?" });
    const japanese = await makeCall(world, { minute: 2, says: "配送はいつですか" });
    for (const q of ["perche", "PACCO arrivato", "pacco a-1001", "è"])
      expect(idsOf((await list(world, { q })).call_logs), q).toEqual([perche]);
    expect(idsOf((await list(world, { q: "配送" })).call_logs)).toEqual([japanese]);
    for (const q of [
      "pac",
      "pacco domani",
      "!?",
      "' & 'x",
      "\\",
      `@${world.accountId}`,
      `@${world.workspaceId}`,
    ])
      expect((await list(world, { q })).total, q).toBe(0);
  });

  test("of a stranger's calls are not found, nor those of another workspace in one's own", async () => {
    const [world, other] = [await newWorld(server), await newWorld(server)];
    await makeCall(other, { says: "xylophone" });
    expect((await list(world, { q: "xylophone" })).total).toBe(0);
    await makeCall(world, { says: "xylophone" });
    const made = await world.api.post(`/v1/org/${hex(world.orgSlug)}/workspaces`, { name: "Sales" });
    const path = `/v1/workspace/${made.body.workspace.slug}/voice-integration/call-logs`;
    expect((await world.api.get(`${path}?q=xylophone`)).body.total).toBe(0);
    expect((await world.api.get(`${LOGS}?q=xylophone`)).body.total).toBe(1);
  });
});

describe("more calls than are counted", () => {
  test("are listed in every order and by every filter; the total says that it was not counted", async () => {
    const world = await newWorld(server);
    const model = await makeCall(world, { says: "Hello again" });
    await app.db.asSystem("superadmin", async (tx) => {
      await sql`insert into calls (partner_id, account_id, organization_id, workspace_id, id, direction, provider,
          status, started_at, ended_at, duration_seconds, ended_reason, metadata)
        select partner_id, account_id, organization_id, workspace_id, gen_random_uuid(), direction, provider, 'ended',
          started_at - n * interval '1 second', ended_at, n, ended_reason, metadata
        from calls, generate_series(1, ${TOTAL_MAX}::int) n where id = ${model}`.execute(tx);
      await sql`insert into call_transcripts (partner_id, account_id, organization_id, workspace_id, call_id,
          started_at, duration_seconds, transcript, words)
        select model.partner_id, model.account_id, model.organization_id, model.workspace_id, calls.id, calls.started_at,
          calls.duration_seconds, transcript, words || array_to_tsvector(array['@seconds:long',
            '@seconds10:' || calls.duration_seconds / 10, '@seconds100:' || calls.duration_seconds / 100,
            '@day:' || to_char(calls.started_at at time zone 'UTC', 'YYYY-MM-DD')])
        from calls, call_transcripts model where model.call_id = ${model}
        and calls.workspace_id = model.workspace_id and calls.id <> model.call_id`.execute(tx);
    });
    const rare = await makeCall(world, { says: "Hello xylophone", seconds: 77, minute: 1 });
    const many = `${TOTAL_MAX}+`;
    expect((await list(world, { limit: 1 })).total).toBe(many);
    const said = await list(world, { q: "hello", limit: 2 });
    expect([said.total, idsOf(said.call_logs)]).toEqual([many, [rare, model]]);
    expect((await list(world, { q: "hello", cursor: said.next_cursor, limit: 2 })).call_logs).toHaveLength(2);
    const old = await list(world, { q: "hello", sort: "-duration", limit: 1 });
    expect([old.total, old.call_logs[0].duration_seconds]).toEqual([many, TOTAL_MAX]);
    const between = { q: "hello", min_duration: 76, max_duration: 77 };
    const some = await list(world, between);
    expect([some.total, idsOf(some.call_logs)[0]]).toEqual([3, rare]);
    expect(await list(world, { q: "hello xylophone" })).toMatchObject({
      total: 1,
      call_logs: [{ id: rare }],
    });
  });
});

describe("pages", () => {
  test("go through every call once, in each order, while new ones arrive", async () => {
    const world = await newWorld(server);
    const made: { id: string; minute: number; seconds: number }[] = [];
    for (let index = 0; index < 7; index += 1) {
      // Equal keys in both orders: the id decides.
      const [minute, seconds] = [Math.floor(index / 2), (index % 3) * 10];
      made.push({ minute, seconds, id: await makeCall(world, { minute, seconds }) });
    }
    const by = (key: "minute" | "seconds", sign: 1 | -1) =>
      made.toSorted((a, b) => sign * (a[key] - b[key] || (a.id < b.id ? -1 : 1))).map(({ id }) => id);
    const orders = {
      "-started_at": by("minute", -1),
      started_at: by("minute", 1),
      "-duration": by("seconds", -1),
      duration: by("seconds", 1),
    };
    for (const [sort, expected] of Object.entries(orders)) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: { call_logs: Shown; next_cursor: string | null; total: number } = await list(world, {
          sort,
          limit: 2,
          ...(cursor === null ? {} : { cursor }),
        });
        seen.push(...idsOf(page.call_logs));
        expect(page.total).toBe(7);
        cursor = page.next_cursor;
      } while (cursor !== null);
      expect(seen, sort).toEqual(expected);
    }
  });

  test("by duration hold only calls that have ended", async () => {
    const world = await newWorld(server);
    const over = await makeCall(world);
    await makeCall(world, { reason: "live" });
    expect(idsOf((await list(world, { sort: "-duration" })).call_logs)).toEqual([over]);
  });

  test("of one order refuse the cursor of another", async () => {
    const world = await newWorld(server);
    for (let minute = 0; minute < 3; minute += 1) await makeCall(world, { minute });
    const { next_cursor: cursor } = await list(world, { limit: 1 });
    const reply = await world.api.get(`${LOGS}?${encoded({ limit: 1, cursor, sort: "duration" })}`);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, "query.cursor");
  });
});
