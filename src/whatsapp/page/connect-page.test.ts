import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MetaSimulator, startMeta } from "../../../test/simulators/meta/meta.ts";
import {
  type Client,
  client,
  hex,
  newPartner,
  startTestServer,
  type TestServer,
} from "../../../test/support.ts";
import { browserScript } from "./browser-script.ts";

const PARENT = "http://localhost:4444";
const OTHER = "http://localhost:5555";

let meta: MetaSimulator;
let server: TestServer;
let aheadMs = 0;
const lines: string[] = [];

beforeAll(async () => {
  meta = await startMeta();
  server = await startTestServer(
    { ...meta.environment(), LOG_LEVEL: "trace" },
    { onLog: (line) => lines.push(line) },
  );
  const { now } = server.app;
  server.app.now = () => new Date(now().getTime() + aheadMs);
});

afterAll(async () => {
  await server.close();
  await meta.close();
});

describe("a link that is good", () => {
  test("opens the page in the frame that it was made for, under a policy that is exact", async () => {
    const { link } = await newLink();
    const { status, headers, text } = await open(link);
    expect(status).toBe(200);
    const nonce = /<script type="module" nonce="([\w-]{22})">/.exec(text)?.[1];
    expect(headers.get("content-security-policy")).toBe(
      [
        "default-src 'none'",
        `script-src 'nonce-${nonce}' ${meta.url}`,
        `connect-src 'self' ${meta.url}`,
        `img-src 'self' data: ${meta.url}`,
        `style-src 'nonce-${nonce}'`,
        `frame-src ${meta.url}`,
        "base-uri 'none'",
        "form-action 'none'",
        `frame-ancestors ${PARENT}`,
      ].join("; "),
    );
    expect(headers.get("referrer-policy")).toBe("strict-origin");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-robots-tag")).toBe("noindex");
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const absent of [
      "x-frame-options",
      "cross-origin-opener-policy",
      "set-cookie",
      "access-control-allow-origin",
    ])
      expect(headers.get(absent), absent).toBeNull();
  });

  test("gets a nonce of its own every time", async () => {
    const { link } = await newLink();
    const nonces = [await open(link), await open(link)].map(({ text }) => /nonce="([\w-]+)"/.exec(text)?.[1]);
    expect(nonces[0]).not.toBe(nonces[1]);
    expect(nonces[0]).toMatch(/^[\w-]{22}$/);
  });

  test("names the account and the workspace, and says what is granted, in the reader's language", async () => {
    const { link } = await newLink({}, { account: "Acme Srl", workspace: "Assistenza" });
    const { text } = await open(link, { "accept-language": "it-IT,en;q=0.5" });
    for (const said of ['<html lang="it">', "Acme Srl", "Assistenza", "Che cosa autorizzi", "<noscript>"])
      expect(text).toContain(said);
    expect((await open(`${link}&lang=de`, { "accept-language": "it" })).text).toContain("Was Sie erlauben");
  });

  test("shows hostile names as what they are", async () => {
    const hostile = `"><img src=x onerror=alert(1)></script><script>alert('2')//\u2028`;
    const { link } = await newLink({}, { account: hostile, workspace: "</title><svg onload=alert(3)>" });
    const { text } = await open(link);
    expect(text).not.toMatch(/<img|<svg onload|<script>alert/);
    expect(text.match(/<\/script>/g)).toHaveLength(3);
    expect(JSON.parse(dataIn(text)).account).toBe(hostile.trim());
  });

  test("is not used up by looking at it", async () => {
    const { link, status } = await newLink();
    for (let times = 0; times < 3; times += 1) expect((await open(link)).status).toBe(200);
    expect(await fetch(link, { method: "HEAD" })).toMatchObject({ status: 200 });
    expect((await status()).body).toMatchObject({ state: "valid", outcome: null });
  });

  test("keeps its token, and Meta's secrets, out of the page and out of the log", async () => {
    const { link, token, status } = await newLink();
    const { text } = await open(link);
    await status();
    await open(`${link}x`);
    expect(text).not.toContain(token);
    expect(text).not.toContain(meta.appSecret);
    expect(lines.join("\n")).not.toContain(token);
    expect(lines.length).toBeGreaterThan(0);
  });

  test("is opened for Meta with the extras of its mode", async () => {
    const coexistence = await newLink({ mode: "coexistence" });
    const { text } = await open(coexistence.link);
    expect(JSON.parse(dataIn(text)).meta).toEqual({
      appId: meta.appId,
      configId: meta.configId,
      version: "v25.0",
      extras: { setup: {}, featureType: "whatsapp_business_app_onboarding", sessionInfoVersion: "3" },
      dialogOrigin: meta.url,
      messageOrigins: [meta.url],
    });
    expect(JSON.parse(dataIn((await open((await newLink()).link)).text)).meta.extras).toEqual({ setup: {} });
  });
});

describe("who may frame the page", () => {
  test("nobody, once the account has struck the origin off its list", async () => {
    const { link, api, accountId } = await newLink();
    await api.patch(`/v1/accounts/${accountId}`, { allowed_origins: [OTHER] });
    expect(await ancestorsOf(link)).toBe("'none'");
  });

  test("nobody, where the token is unknown or of another workspace", async () => {
    const { link, token } = await newLink();
    const { workspaceSlug } = await newLink();
    expect(await ancestorsOf(`${link}x`)).toBe("'none'");
    expect(
      await ancestorsOf(`${server.url}${pathOf(`${workspaceSlug}-2`)}/connect-page?token=${token}`),
    ).toBe("'none'");
  });

  test("the account's own origins, where the link is over: its frame must say so", async () => {
    const { link } = await newLink({ ttl_seconds: 60 });
    aheadMs += 61_000;
    expect(await ancestorsOf(link)).toBe(`${PARENT} ${OTHER}`);
  });

  test("nobody, for an account without origins: the page stands in a tab of its own", async () => {
    const { link } = await newLink({}, { origins: [] });
    const { status, headers, text } = await open(link, { "sec-fetch-dest": "document" });
    expect(status).toBe(200);
    expect(headers.get("content-security-policy")).toMatch(/frame-ancestors 'none'$/);
    expect(JSON.parse(dataIn(text))).toMatchObject({ topLevel: true, parentOrigin: null });
  });
});

describe("a link in a tab of its own", () => {
  test("is refused when it was made for a frame", async () => {
    const { link } = await newLink();
    const { status, text } = await open(link, { "sec-fetch-dest": "document" });
    expect(status).toBe(403);
    expect(text).toContain("Open this where it belongs");
    expect(text).not.toContain("Continue with Meta");
    // Where the browser does not say where the page is shown, the page's script finds out.
    expect(JSON.parse(dataIn((await open(link)).text)).topLevel).toBe(false);
  });

  test("is shown when it was made for that", async () => {
    const { link } = await newLink({ allow_top_level: true });
    expect((await open(link, { "sec-fetch-dest": "document" })).status).toBe(200);
  });

  test("is shown to whom the framed page sends there, for five minutes and for this link only", async () => {
    const [mine, other] = [await newLink(), await newLink()];
    const pass = JSON.parse(dataIn((await open(mine.link)).text)).pass;
    const asTab = { "sec-fetch-dest": "document" };
    expect((await open(`${mine.link}&pass=${pass}`, asTab)).status).toBe(200);
    expect((await open(`${other.link}&pass=${pass}`, asTab)).status).toBe(403);
    expect((await open(`${mine.link}&pass=v1.x.y.z`, asTab)).status).toBe(403);
    aheadMs += 5 * 60_000 + 1;
    expect((await open(`${mine.link}&pass=${pass}`, asTab)).status).toBe(403);
    const renewed = (await mine.status()).body.pass;
    expect((await open(`${mine.link}&pass=${renewed}`, asTab)).status).toBe(200);
  });
});

describe("a link that opens nothing", () => {
  test("each kind has a page and a status of its own", async () => {
    const expired = await newLink({ ttl_seconds: 60 });
    const [revoked] = [await newLink(), await newLink()];
    await revoked.mint();
    aheadMs += 61_000;
    for (const [link, status, title] of [
      [expired.link, 410, "This link has expired"],
      [revoked.link, 410, "This link is no longer valid"],
      [`${expired.link}x`, 404, "This link leads nowhere"],
      [expired.link.split("?")[0] ?? "", 404, "This link leads nowhere"],
    ] as const) {
      const answer = await open(link);
      expect(answer.status, title).toBe(status);
      expect(answer.text).toContain(`<title>${title}</title>`);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      // It talks to nobody any more.
      expect(answer.headers.get("content-security-policy")).not.toContain(meta.url);
      expect(answer.text).not.toContain("Continue with Meta");
    }
  });

  test("one that was used says what came of it", async () => {
    const used = await newLink();
    const business = meta.addBusiness({ numbers: [{ displayPhoneNumber: "+39 02 1234 5678" }] });
    expect((await used.onboard({ code: meta.issueCode(business) })).body).toMatchObject({ success: true });
    const { status, text } = await open(used.link);
    expect(status).toBe(410);
    expect(text).toContain("WhatsApp is connected");
    expect(text).toContain("+39\u00a002\u00a01234\u00a05678");
  });

  test("another workspace's token opens as little as none", async () => {
    const [mine, other] = [
      await newLink({}, { workspace: "Zanzibar" }),
      await newLink({}, { workspace: "Timbuktu" }),
    ];
    const stolen = await open(`${server.url}${pathOf(other.workspaceSlug)}/connect-page?token=${mine.token}`);
    expect(stolen.status).toBe(404);
    expect(stolen.text).not.toContain("Zanzibar");
    expect(stolen.text).not.toContain("Timbuktu");
  });
});

describe("what became of a link", () => {
  test("is told to who holds its token", async () => {
    const { status, onboard } = await newLink();
    const business = meta.addBusiness({ numbers: [{}, {}] });
    await onboard({ code: meta.issueCode(business) });
    const { body, headers } = await status();
    expect(body).toMatchObject({ success: true, state: "valid", outcome: { needs: "choose_number" } });
    expect(body.outcome.numbers).toHaveLength(2);
    expect(headers.get("cache-control")).toBe("no-store");
    const goesOn = JSON.parse(dataIn((await open((await newLink()).link)).text));
    expect(goesOn.outcome).toBeNull();
  });

  test("to nobody else, and never by the address", async () => {
    const { token, workspaceSlug } = await newLink();
    const url = `${server.url}${pathOf(workspaceSlug)}/connect-status`;
    for (const headers of [{}, { authorization: "Bearer lo_wac_x" }, { authorization: token }]) {
      const response = await fetch(`${url}?token=${token}`, { headers });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ success: false, code: "not_found" });
    }
  });

  test("a page that is loaded again goes on where it stopped, without another sign-in", async () => {
    const { link, onboard } = await newLink();
    await onboard({ code: meta.issueCode(meta.addBusiness({ numbers: [{}, {}] })) });
    const data = JSON.parse(dataIn((await open(link)).text));
    expect(data).toMatchObject({ panel: null, outcome: { needs: "choose_number" } });
  });
});

describe("the page that Meta leads back to", () => {
  test("knows nothing itself, may not be framed, and speaks the language that its state begins with", async () => {
    const url = `${server.url}/connect/whatsapp/return?code=secret-code&state=fr.0123`;
    const { status, headers, text } = await open(url, { "accept-language": "de" });
    expect(status).toBe(200);
    expect(text).toContain('<html lang="fr">');
    expect(text).not.toContain("secret-code");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("content-security-policy")).toMatch(/frame-ancestors 'none'$/);
    expect(headers.get("referrer-policy")).toBe("strict-origin");
    expect(headers.get("cache-control")).toBe("no-store");
  });
});

describe("the page's script", () => {
  test("is one program that parses, without types, imports or comments of ours", () => {
    const script = browserScript();
    expect(() => new Script(script)).not.toThrow();
    expect(script).not.toMatch(/^\s*(import|export|interface|\/\/|\/\*\*)/m);
  });

  test("with the page around it, is 25 KB at most when compressed", async () => {
    const { link } = await newLink({ mode: "coexistence" });
    for (const language of ["en", "de", "fr"]) {
      const { text } = await open(`${link}&lang=${language}`);
      const compressed = new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")));
      expect((await compressed.arrayBuffer()).byteLength).toBeLessThan(25 * 1024);
    }
  });
});

interface TestLink {
  link: string;
  token: string;
  accountId: string;
  workspaceSlug: string;
  api: Client;
  mint(): Promise<void>;
  status(): Promise<{ status: number; headers: Headers; body: StatusBody }>;
  onboard(body: object): Promise<{ status: number; body: unknown }>;
}

interface StatusBody {
  state: string;
  pass: string;
  outcome: { numbers: unknown[] };
}

interface Names {
  account?: string;
  workspace?: string;
  origins?: string[];
}

/** A link of an account of its own. */
async function newLink(wanted: object = {}, names: Names = {}): Promise<TestLink> {
  const { account = "Acme", workspace = "Support", origins = [PARENT, OTHER] } = names;
  const { key } = await newPartner(server.app);
  const made = await client(server.url, key).post("/v1/accounts", {
    name: account,
    allowed_origins: origins,
  });
  expect(made.status).toBe(200);
  const api = client(server.url, key, made.body.account.id);
  const { slug } = (await api.post("/v1/orgs", { name: "Org" })).body.organization;
  const place = (await api.post(`/v1/org/${slug}/workspaces`, { name: workspace })).body.workspace;
  const path = pathOf(place.originalSlug);
  const mint = () =>
    api.post(path.slice("/api".length).concat("/connect-token"), {
      ...(origins.length > 0 && { embed_origin: PARENT }),
      ...wanted,
    });
  const { status, body } = await mint();
  expect(status, JSON.stringify(body)).toBe(200);
  const { token } = body;
  const authorization = `Bearer ${token}`;
  return {
    link: `${server.url}${path}/connect-page?token=${token}`,
    token,
    accountId: made.body.account.id,
    workspaceSlug: place.originalSlug,
    api,
    async mint() {
      await mint();
    },
    async status() {
      const response = await fetch(`${server.url}${path}/connect-status`, { headers: { authorization } });
      return { status: response.status, headers: response.headers, body: asStatus(await response.json()) };
    },
    async onboard(sent) {
      const response = await fetch(`${server.url}${path}/onboard`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json", origin: server.url },
        body: JSON.stringify(sent),
      });
      return { status: response.status, body: await response.json() };
    },
  };
}

function pathOf(originalSlug: string): string {
  return `/api/v1/workspace/${hex(originalSlug)}/whatsapp`;
}

async function open(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function ancestorsOf(url: string): Promise<string | undefined> {
  const { headers } = await open(url);
  return /frame-ancestors (.*)$/.exec(headers.get("content-security-policy") ?? "")?.[1];
}

/** What the server handed to the script. */
function dataIn(text: string): string {
  return /<script type="application\/json" id="page-data">(.*?)<\/script>/s.exec(text)?.[1] ?? "";
}

/** The tests look at what they expect in it. */
function asStatus(body: unknown): StatusBody {
  return body as StatusBody;
}
