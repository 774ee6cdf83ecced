import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { appendTurn } from "../src/conversations/append-turn.ts";
import type { ConversationOwner } from "../src/conversations/conversation.ts";
import { openConversation } from "../src/conversations/open-conversation.ts";
import { resolveContact } from "../src/conversations/resolve-contact.ts";
import type { Operation } from "../src/http/operation.ts";
import type { ProblemCode } from "../src/http/problem.ts";
import { beginErasure } from "../src/jobs/erasure.ts";
import { attachNumber } from "../src/numbers/attach.ts";
import { decideRequest } from "../src/numbers/fulfil.ts";
import { createNumberRequest } from "../src/numbers/requests.service.ts";
import { createAdminKey, createKey } from "../src/partners/keys.service.ts";
import { appendCallEvents } from "../src/voice/append-call-events.ts";
import { endCall } from "../src/voice/end-call.ts";
import { openCall } from "../src/voice/open-call.ts";
import { recordEvent } from "../src/webhooks/record-event.ts";
import { type Content, encodeForm, fieldParts, type Part } from "./form.ts";
import {
  type Client,
  client,
  hex,
  newPartner,
  operator,
  send,
  type TestPartner,
  type TestServer,
  type World,
} from "./support.ts";

/** One of everything that a path or a body can name, under names that occur nowhere else. */
export interface Place extends World {
  adminKey: string;
  /** With that key. */
  admin: Client;
  accountName: string;
  /** Part of every name and slug in it, so that a leak can be recognised. */
  marker: string;
  toolId: string;
  /** A job that is over. */
  jobId: string;
  /** One that failed for good, and would again. */
  failedJobId: string;
  keyId: string;
  folder: string;
  threadSlug: string;
  /** The last part of the path of a document, which lies in the folder and is in the workspace. */
  docName: string;
  /** A conversation of the workspace, with one turn in it, and the person who had it. */
  conversationId: string;
  contactId: string;
  /** A request for two numbers that nobody has looked at, and a number of another one. */
  numberRequestId: string;
  numberId: string;
  endpointId: string;
  /** Of the endpoint. */
  deliveryId: string;
  /** One that is over. */
  callId: string;
}

type Owner = "installation" | "partner" | "account" | "organization";

interface ParameterRule {
  valid(place: Place): string;
  /** Well formed, but there is no such thing. */
  unknown: string;
  /** A thing of another one of these is out of reach. */
  belongsTo: Owner;
  /** As they stand in a path; nothing can have such a name. */
  malformed?: readonly string[];
  /** What is missing is made, so that nothing is unknown and nothing someone else's. */
  isMade?: true;
}

/** How a body names a thing, where it is not as a path would. */
interface MentionRule {
  valid(place: Place): string | number;
  /** Well formed and one's own, but there is no such thing; left out where nothing is looked for. */
  unknown?(place: Place): string | number;
  /** What an unknown one is answered. 207: its item says 404, the others are done. */
  unknownIs?: ProblemCode | 207;
  belongsTo: Owner;
  /** Where a name says itself whose it is: a name of nobody, which is 400 as everybody else's is. */
  nowhere?: string;
  malformed?: readonly string[];
}

/** A thing that a body names, and where: `files.0.from`. */
export interface Mention extends MentionRule {
  at: string;
}

interface CallRule {
  /** What must be so before a valid call. */
  prepare?(place: Place): Promise<unknown>;
  /** A valid body, or the text fields of a valid form; without it the operation's own example is one. */
  body?(place: Place): object;
  /** Where its path parameters differ from those of others with the same name. */
  parameters?: Readonly<Record<string, Partial<ParameterRule>>>;
  /** What the body names, by place: the parameter that would name it in a path, or a rule of its own. */
  refersTo?: Readonly<Record<string, string | MentionRule>>;
  /** It cannot succeed in these tests: why, and what its valid call is answered instead. */
  refused?: { because: string; code: ProblemCode; naming?: string };
}

const NOWHERE = hex("nowhere-to-be-found");
const NOBODY = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6";
const NO_ID = ["x", "-1", "1e3", "%00", "null"];
const NO_NAME = ["%00", "%01", "a%5Cb", "a%2Fb", "%7F", "x".repeat(256), "%C3%A9".repeat(128)];

/** Path parameters by name, and what bodies name besides: the generated tests take their values from here. */
export const parameters: Readonly<Record<string, ParameterRule>> = {
  accountId: { valid: (place) => place.accountId, unknown: NOBODY, belongsTo: "partner", malformed: NO_ID },
  orgSlug: { valid: (place) => hex(place.orgSlug), unknown: NOWHERE, belongsTo: "account" },
  slug: { valid: (place) => hex(place.workspaceSlug), unknown: NOWHERE, belongsTo: "account" },
  toolId: { valid: (place) => place.toolId, unknown: NOBODY, belongsTo: "organization", malformed: NO_ID },
  provider: {
    valid: () => "mistral",
    unknown: "azure",
    // Every organization calls its own by these names.
    belongsTo: "installation",
    malformed: ["x", "Mistral", "%00"],
  },
  threadSlug: {
    valid: (place) => place.threadSlug,
    unknown: "nowhere-to-be-found",
    belongsTo: "organization",
    malformed: ["%00", "-a", "a%2Fb", "a%20b", "x".repeat(101)],
  },
  conversationId: {
    valid: (place) => place.conversationId,
    unknown: NOBODY,
    belongsTo: "organization",
    malformed: NO_ID,
  },
  contactId: {
    valid: (place) => place.contactId,
    unknown: NOBODY,
    belongsTo: "organization",
    malformed: NO_ID,
  },
  jobId: { valid: (place) => place.jobId, unknown: NOBODY, belongsTo: "account", malformed: NO_ID },
  partnerId: {
    valid: (place) => place.partner.id,
    unknown: NOBODY,
    belongsTo: "installation",
    malformed: NO_ID,
  },
  keyId: { valid: (place) => place.keyId, unknown: NOBODY, belongsTo: "partner", malformed: NO_ID },
  requestId: {
    valid: (place) => place.numberRequestId,
    unknown: NOBODY,
    belongsTo: "organization",
    malformed: NO_ID,
  },
  numberId: {
    valid: (place) => place.numberId,
    unknown: "2147483647",
    belongsTo: "organization",
    malformed: [...NO_ID, "0", "01", "1.5", "2147483648"],
  },
  endpointId: {
    valid: (place) => place.endpointId,
    unknown: NOBODY,
    belongsTo: "account",
    malformed: NO_ID,
  },
  deliveryId: {
    valid: (place) => place.deliveryId,
    unknown: NOBODY,
    belongsTo: "account",
    malformed: NO_ID,
  },
  callId: { valid: (place) => place.callId, unknown: NOBODY, belongsTo: "account", malformed: NO_ID },
  originalWorkspaceSlug: {
    valid: (place) => place.workspaceSlug,
    unknown: "nowhere-to-be-found",
    belongsTo: "account",
  },
  folderName: {
    valid: (place) => place.folder,
    unknown: "nowhere-to-be-found",
    belongsTo: "organization",
    malformed: NO_NAME,
  },
  docName: {
    valid: (place) => place.docName,
    unknown: "nowhere-to-be-found.txt-0192f0c1.json",
    belongsTo: "organization",
    malformed: NO_NAME,
  },
};

/** A document of the place's organization by its docpath, in `folder` or where it lies. */
const docpath = (folder?: (place: Place) => string): MentionRule => ({
  valid: (place) => [place.orgSlug, folder?.(place) ?? place.folder, place.docName].join("/"),
  belongsTo: "organization",
  nowhere: "nowhere-to-be-found/custom-documents/a.txt-0192f0c1.json",
  malformed: ["", "a", "a/b", "/a/b/c", "a/b/c/d", "../a/b", "a\\b\\c"],
});
const knownDocpath: MentionRule = {
  ...docpath(),
  unknown: (place) => `${place.orgSlug}/${place.folder}/nowhere-to-be-found.txt-0192f0c1.json`,
  unknownIs: 207,
};

/** Workspaces that a document is put into: all of its own organization, or the whole request is refused. */
const addToWorkspaces: MentionRule = {
  valid: (place) => place.workspaceSlug,
  unknown: () => "nowhere-to-be-found",
  unknownIs: "invalid_request",
  belongsTo: "organization",
};
const uploading: CallRule = {
  body: (place) => ({
    metadata: '{"title":"Delivery","docAuthor":"Ünï"}',
    external_id: `delivery-${place.marker}`,
  }),
  refersTo: { addToWorkspaces },
};

const withVoice: CallRule = {
  prepare: (place) => place.api.post(`/v1/workspace/${hex(place.workspaceSlug)}/voice-integration`, {}),
};
const number: MentionRule = {
  valid: (place) => Number(place.numberId),
  unknown: () => 2_147_483_647,
  unknownIs: "invalid_request",
  belongsTo: "organization",
};
/** How a superadmin answers a request of the place, up to a move that a test needs. */
const decided = (...path: string[]) => ({
  prepare: async (place: Place) => {
    for (const step of path)
      await place.admin.post(`/v1/admin/number-requests/${place.numberRequestId}/${step}`, DECISIONS[step]);
  },
});
const DECISIONS: Readonly<Record<string, object>> = {
  approve: {},
  "action-required": { reason: "We need proof of an address." },
};
/** A number that no place has: of San Francisco, by the place's marker. */
const freeNumber = ({ marker }: Place) =>
  `+1415${2_000_000 + (Number.parseInt(marker.slice(1), 16) % 7_000_000)}`;

/** By operation id; one that is not here takes its own example as its body and needs nothing more. */
export const calls: Readonly<Record<string, CallRule>> = {
  deleteAccount: { body: (place) => ({ confirm: place.accountName }) },
  createKey: { refersTo: { account_id: "accountId", workspace_slug: "originalWorkspaceSlug" } },
  createChatCompletion: {
    body: (place) => ({
      model: place.workspaceSlug,
      messages: [{ role: "user", content: "When do you deliver?" }],
    }),
    refersTo: { model: "originalWorkspaceSlug" },
  },
  createEmbeddings: {
    refused: {
      because: "the tests' server has no embedding model",
      code: "conflict",
      naming: "body.model",
    },
  },
  attachTool: { refersTo: { tool_id: "toolId" } },
  detachTool: {
    prepare: (place) =>
      place.api.post(`/v1/workspace/${hex(place.workspaceSlug)}/tools`, { tool_id: place.toolId }),
  },
  answerNumberRequest: decided("review", "action-required"),
  requireActionOnNumberRequest: { ...decided("review"), ...ofAnybody("requestId") },
  reviewNumberRequest: ofAnybody("requestId"),
  approveNumberRequest: ofAnybody("requestId"),
  rejectNumberRequest: ofAnybody("requestId"),
  attachNumber: {
    ...decided("approve"),
    ...ofAnybody("requestId"),
    body: (place) => ({ number: freeNumber(place) }),
  },
  provisionNumberRequest: {
    ...ofAnybody("requestId"),
    refused: {
      because: "the tests' server has no carrier",
      code: "conflict",
      naming: "path.requestId",
    },
  },
  failNumberRequest: {
    ...ofAnybody("requestId"),
    prepare: async (place) => {
      const path = `/v1/admin/number-requests/${place.numberRequestId}`;
      await place.admin.post(`${path}/approve`, {});
      await place.admin.post(`${path}/attach`, { number: freeNumber(place) });
    },
  },
  releaseNumber: ofAnybody("numberId"),
  retryJob: { parameters: { jobId: { valid: (place) => place.failedJobId } } },
  uploadDocument: uploading,
  uploadDocumentToFolder: {
    ...uploading,
    parameters: { folderName: { valid: (place) => `new-${place.marker}`, isMade: true } },
  },
  uploadRawText: { refersTo: { addToWorkspaces } },
  uploadLink: {
    body: () => ({ link: "http://127.0.0.1/help.html" }),
    refersTo: { addToWorkspaces },
    refused: {
      because: "addresses of private networks are refused, and the tests reach no others",
      code: "invalid_request",
      naming: "body.link",
    },
  },
  createWhatsAppConnectToken: {
    refused: {
      because: "the tests' server has no app of Meta's",
      code: "conflict",
    },
  },
  revealWhatsAppPin: {
    refused: {
      because: "the tests' workspaces have no number, and so no PIN",
      code: "not_found",
    },
  },
  createFolder: { body: (place) => ({ name: `new-${place.marker}` }) },
  removeFolder: { refersTo: { name: "folderName" } },
  moveFiles: {
    refersTo: {
      "files.0.from": knownDocpath,
      "files.0.to": docpath((place) => `archive-${place.marker}`),
    },
  },
  removeFiles: { refersTo: { "files.0": knownDocpath } },
  updateEmbeddings: { refersTo: { "adds.0": knownDocpath, "deletes.0": knownDocpath } },
  provisionVoice: { refersTo: { number_id: number } },
  getVoice: withVoice,
  updateVoice: { ...withVoice, refersTo: { number_id: number } },
  removeVoice: withVoice,
  createTestCall: withVoice,
  vectorSearch: { refersTo: { "filter.docpaths.0": docpath() } },
};

/** A superadmin reaches whatever there is. */
function ofAnybody(parameter: string): Pick<CallRule, "parameters"> {
  return { parameters: { [parameter]: { belongsTo: "installation" } } };
}

/** The file in a valid form. */
export const FILE: Part = {
  name: "file",
  fileName: "delivery.txt",
  type: "text/plain",
  content: "We deliver within two days.",
};

/** A partner, an account, an organization, a workspace, a tool, jobs and a document; or those below what is given. */
export async function newPlace(
  server: TestServer,
  above: { partner?: TestPartner; accountId?: string; accountName?: string } = {},
): Promise<Place> {
  const marker = `m${randomUUID().replaceAll("-", "").slice(0, 12)}`;
  const partner = above.partner ?? (await newPartner(server.app, marker));
  const accountName = above.accountName ?? `Account ${marker}`;
  const accountId = above.accountId ?? (await newAccount(server, partner, accountName));
  const api = client(server.url, partner.key, accountId);
  const org = (await api.post("/v1/orgs", { name: `Org ${marker}` })).body.organization;
  const made = (name: string) => api.post(`/v1/org/${org.slug}/workspaces`, { name: `${name} ${marker}` });
  const workspace = (await made("Support")).body.workspace;
  const tool = await api.post(`/v1/org/${org.slug}/tools`, {
    kind: "http",
    name: `tool_${marker}`,
    description: `Tool ${marker}`,
    http: { method: "GET", url: `https://api.example.com/${marker}` },
  });
  await api.post(`/v1/org/${org.slug}/model-providers`, {
    provider: "mistral",
    api_key: `key-${marker}`,
    models: [`model-${marker}`],
  });
  const folder = `folder-${marker}`;
  const adminKey = (await createAdminKey(server.app)).key;
  const form = encodeForm([
    { name: "addToWorkspaces", content: workspace.originalSlug },
    { ...FILE, fileName: `${marker}.txt`, content: `We deliver within two days: ${marker}.` },
  ]);
  const uploaded = await send(
    server.url,
    "POST",
    `/v1/org/${org.slug}/document/upload/${folder}`,
    { authorization: `Bearer ${partner.key}`, "x-account-id": accountId, "content-type": form.type },
    form.data,
  );
  return {
    partner,
    accountId,
    accountName,
    marker,
    api,
    orgSlug: org.originalSlug,
    workspaceSlug: workspace.originalSlug,
    organizationId: org.id,
    workspaceId: workspace.id,
    toolId: tool.body.tool.id,
    jobId: await finishedJob(server, partner.id, accountId, org.id, (await made("Old")).body.workspace.id),
    failedJobId: await failedJob(server, partner.id, accountId, org.id),
    folder,
    docName: uploaded.body.documents[0].name,
    threadSlug: (await api.post(`/v1/workspace/${workspace.slug}/thread/new`, { slug: `thread-${marker}` }))
      .body.thread.slug,
    ...(await newConversation(server, marker, {
      partnerId: partner.id,
      accountId,
      organizationId: org.id,
      workspaceId: workspace.id,
    })),
    ...(await deliveryOf(server, partner.id, accountId, api, marker)),
    ...(await newCall(server, marker, {
      partnerId: partner.id,
      accountId,
      organizationId: org.id,
      workspaceId: workspace.id,
    })),
    ...(await newNumbers(server, partner.id, accountId, org.originalSlug, marker)),
    keyId: (await createKey(server.app, operator(partner.id), {})).id,
    adminKey,
    admin: client(server.url, adminKey),
  };
}

/** The path of a valid call; `values` replaces single parameters. */
export function pathOf(operation: Operation, place: Place, values: Record<string, string> = {}): string {
  return operation.path.replace(
    /:(\w+)/g,
    (_, name: string) => values[name] ?? ruleOf(operation, name).valid(place),
  );
}

export function parameterNames(operation: Operation): string[] {
  return [...operation.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
}

export function ruleOf(operation: Operation, parameter: string): ParameterRule {
  const rule = parameters[parameter];
  const own = calls[operation.id]?.parameters?.[parameter];
  if (rule === undefined) {
    throw new Error(
      `${operation.id} has the path parameter ":${parameter}", which the generated tests do not know: add it to ` +
        "`parameters` in test/registry.ts, with a valid value from a place (and make one in `newPlace`), an unknown " +
        "one, and whom the thing belongs to.",
    );
  }
  return { ...rule, ...own };
}

/** The body of a valid call, or the text fields of its form; `undefined` when it takes none. */
export function bodyOf(operation: Operation, place: Place): object | undefined {
  if (operation.body === undefined && operation.multipart === undefined) return undefined;
  const rule = calls[operation.id];
  const body = rule?.body?.(place) ?? operation.examples.body;
  if (typeof body !== "object" || body === null) {
    throw new Error(
      `${operation.id} takes a body, and the generated tests know no valid one: give the operation an example ` +
        "(`examples: { body }`), or add it to `calls` in test/registry.ts.",
    );
  }
  return mentionsOf(operation).reduce<object>((whole, { at, valid }) => setAt(whole, at, valid(place)), body);
}

/** How a body goes over the wire: as JSON, or as a form with a file. */
export function contentOf(operation: Operation, body: unknown): Content | undefined {
  if (body === undefined) return undefined;
  if (operation.multipart !== undefined) return encodeForm([...fieldParts(Object(body)), FILE]);
  return { type: "application/json", data: JSON.stringify(body) };
}

/** The things that the body names. */
export function mentionsOf(operation: Operation): Mention[] {
  return Object.entries(calls[operation.id]?.refersTo ?? {}).map(([at, rule]) => {
    if (typeof rule !== "string") return { ...rule, at };
    const { valid, unknown, belongsTo } = ruleOf(operation, rule);
    return { at, valid, belongsTo, unknown: () => unknown, unknownIs: "not_found" as const };
  });
}

/** A copy of `root` with `value` at a place such as `files.0.from`. */
export function setAt(root: object, at: string, value: unknown): object {
  const whole: Record<string, unknown> = { "": structuredClone(root) };
  const keys = ["", ...at.split(".")];
  let holder = whole;
  for (const [depth, key] of keys.slice(0, -1).entries()) {
    holder[key] ??= /^\d+$/.test(keys[depth + 1] ?? "") ? [] : {};
    holder = Object(holder[key]);
  }
  holder[keys.at(-1) ?? ""] = value;
  return Object(whole[""]);
}

/** A copy of `root` with one more item, the last of its list, that is like the one of `at` but for `value`. */
export function addBeside(root: object, at: string, value: string): object | undefined {
  const keys = at.split(".");
  const index = keys.findIndex((key) => /^\d+$/.test(key));
  if (index < 0) return undefined;
  let item: unknown = root;
  for (const key of keys.slice(0, index + 1)) item = Object(item)[key];
  const next = [...keys.slice(0, index), String(Number(keys[index]) + 1)].join(".");
  const doubled = setAt(root, next, item);
  return setAt(doubled, [next, ...keys.slice(index + 1)].join("."), value);
}

export function needsAccount(operation: Operation): boolean {
  return ["account", "organization", "workspace", "account-or-key"].includes(operation.tenant);
}

export function takesAccount(operation: Operation): boolean {
  return needsAccount(operation) || operation.tenant === "partner-or-account";
}

/** The headers of a valid call. */
export function headersOf(operation: Operation, place: Place, key?: string): Record<string, string> {
  const own = operation.tenant === "superadmin" ? place.adminKey : place.partner.key;
  return {
    authorization: `Bearer ${key ?? own}`,
    ...(takesAccount(operation) ? { "x-account-id": place.accountId } : {}),
  };
}

async function newAccount(server: TestServer, partner: TestPartner, name: string): Promise<string> {
  return (await client(server.url, partner.key).post("/v1/accounts", { name })).body.account.id;
}

async function newConversation({ app }: TestServer, marker: string, owner: ConversationOwner) {
  return app.db.asTenant(owner, async (tx) => {
    const identities = [{ kind: "external" as const, value: `person-${marker}` }];
    const contactId = await resolveContact(app, tx, owner, identities, `Ada ${marker}`);
    const wanted = { channel: "api", sessionId: `session-${marker}`, threadSlug: null, contactId } as const;
    const { id } = await openConversation(app, tx, owner, wanted);
    const at = app.now();
    const user = { text: `When do you deliver? ${marker}`, at };
    const assistant = { text: `Within two days. ${marker}`, status: "complete" as const, at };
    await appendTurn(app, tx, { conversationId: id, turnId: app.newId(), user, assistant });
    return { conversationId: id, contactId };
  });
}

async function newCall({ app }: TestServer, marker: string, owner: ConversationOwner) {
  const at = app.now();
  const call = {
    direction: "inbound",
    provider: "test",
    providerCallId: marker,
    to: null,
    startedAt: at,
  } as const;
  const from = "+390612345678";
  const { id: callId } = await openCall(app, owner, { ...call, from, numberId: null, configuration: null });
  const turnId = app.newId();
  await appendCallEvents(app, owner, callId, [
    { kind: "answered", at },
    { kind: "caller_said", turnId, text: `When do you deliver? ${marker}`, at },
  ]);
  await endCall(app, owner, callId, { reason: "caller_hung_up", at });
  return { callId };
}

let placesWithNumbers = 0;

/** A request that waits, and a number that was attached to another one. */
async function newNumbers(
  { app }: TestServer,
  partnerId: string,
  accountId: string,
  orgSlug: string,
  marker: string,
): Promise<{ numberRequestId: string; numberId: string }> {
  const caller = { ...operator(partnerId), accountId };
  const wanted = { country: "US", number_type: "local", notes: `For ${marker}.` } as const;
  const ask = async (quantity: number) =>
    (await createNumberRequest(app, caller, orgSlug, { ...wanted, quantity })).number_request.id;
  const fulfilled = await ask(1);
  await decideRequest(app, caller, fulfilled, { to: "approved" });
  placesWithNumbers += 1;
  const attached = await attachNumber(app, caller, fulfilled, {
    number: `+1212${2_000_000 + placesWithNumbers}`,
  });
  return {
    numberRequestId: await ask(2),
    numberId: String(attached.number_request.numbers[0]?.id),
  };
}

async function finishedJob(
  { app }: TestServer,
  partnerId: string,
  accountId: string,
  organizationId: number,
  workspaceId: number,
): Promise<string> {
  const target = { level: "workspace", partnerId, accountId, organizationId, workspaceId } as const;
  const id = await app.db.asTenant({ partnerId, accountId }, (tx) => beginErasure(app, tx, target));
  const end = await app.queue.wait(id, 20_000);
  if (end?.status !== "succeeded") throw new Error("the job that every place has did not succeed");
  return id;
}

/** Fails at once, and again whenever it is retried: it does not say what to erase. */
async function failedJob(
  { app }: TestServer,
  partnerId: string,
  accountId: string,
  organizationId: number,
): Promise<string> {
  const id = await app.db.asTenant({ partnerId, accountId }, (tx) =>
    app.queue.enqueue(tx, { kind: "erase", partnerId, accountId, organizationId, payload: {} }),
  );
  const end = await app.queue.wait(id, 20_000);
  if (end?.status !== "failed") throw new Error("the job that should fail in every place did not");
  return id;
}

/** An endpoint where nobody listens, and an event on its way there. */
async function deliveryOf(
  { app }: TestServer,
  partnerId: string,
  accountId: string,
  api: Client,
  marker: string,
): Promise<{ endpointId: string; deliveryId: string }> {
  // Of what else happens there it hears nothing: nobody listens, and each event would be tried for a day.
  const made = await api.post("/v1/webhook-endpoints", {
    url: `http://localhost:9/${marker}`,
    events: ["document.failed"],
  });
  const endpointId = made.body.webhook_endpoint.id;
  const tenant = { partnerId, accountId, organizationId: null, workspaceId: null };
  const subject = { kind: "document", id: marker };
  await app.db.asTenant({ partnerId, accountId }, (tx) =>
    recordEvent(app, tx, tenant, { type: "document.failed", subject, data: {} }),
  );
  for (;;) {
    const { body } = await api.get(`/v1/webhook-endpoints/${endpointId}/deliveries`);
    const [delivery] = body.deliveries;
    if (delivery?.status === "pending" && delivery.attempts > 0)
      return { endpointId, deliveryId: delivery.id };
    await sleep(20);
  }
}
