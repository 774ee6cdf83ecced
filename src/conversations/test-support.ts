import { hex, newWorld, type TestServer, type World } from "../../test/support.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { recordToolCall } from "../tools/tool-calls.ts";
import { appendTurn, type FinishedTurn } from "./append-turn.ts";
import type { ContactIdentity } from "./contact-identity.ts";
import type { ConversationAddress, ConversationOwner } from "./conversation.ts";
import { type NewConversation, openConversation } from "./open-conversation.ts";
import { readConversationAndHistory } from "./read-history.ts";
import { resolveContact } from "./resolve-contact.ts";

/** The workspace's own conversation. */
export const OWN: ConversationAddress & { threadSlug: null } = {
  channel: "api",
  sessionId: null,
  threadSlug: null,
};

/** A workspace of its own, with what tests do in it. */
export interface Room {
  world: World;
  owner: ConversationOwner;
  /** `/v1/workspace/<hex>`. */
  path: string;
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  read(address?: ConversationAddress): ReturnType<typeof readConversationAndHistory>;
  /** Opens the conversation of this session and says these; its id. */
  say(
    wanted: Partial<NewConversation & { threadSlug: null }>,
    ...turns: { asked: string; answered?: string | null; at?: Date }[]
  ): Promise<string>;
  know(identities: ContactIdentity[], name?: string): Promise<string>;
  /** Puts a call of a tool into the ledger. */
  call(conversationId: string): Promise<void>;
  /** How many there are in the ledger. */
  calls(): Promise<number>;
}

export async function newRoom(server: TestServer, within?: World): Promise<Room> {
  const { app } = server;
  const world = within ?? (await newWorld(server));
  const { partner, accountId, organizationId, workspaceId } = world;
  const owner = { partnerId: partner.id, accountId, organizationId, workspaceId };
  const caller = {
    partnerId: partner.id,
    accountId,
    actor: { kind: "key", id: null },
    requestId: "t",
  } as const;
  const path = `/v1/workspace/${hex(world.workspaceSlug)}`;
  const run: Room["run"] = (work) => app.db.asTenant(owner, work);
  return {
    world,
    owner,
    path,
    run,
    read: (address = OWN) => readConversationAndHistory(app, caller, world.workspaceSlug, address),
    say: (wanted, ...turns) =>
      run(async (tx) => {
        const { id } = await openConversation(app, tx, owner, { ...OWN, ...wanted });
        for (const { asked, answered, at } of turns)
          await appendTurn(app, tx, turnOf(app, id, asked, answered, at));
        return id;
      }),
    call: (conversationId) =>
      recordToolCall(
        app,
        { ...owner, conversationId, turnId: app.newId(), actor: caller.actor, requestId: caller.requestId },
        { toolId: null, toolName: "search_documents", arguments: {}, code: null, ms: 1, bytes: 1 },
      ),
    calls: async () => (await world.api.get(`${path}/tool-calls`)).body.tool_calls.length,
    know: (identities, name) => run((tx) => resolveContact(app, tx, owner, identities, name)),
  };
}

export function turnOf(
  app: App,
  conversationId: string,
  asked: string,
  answered: string | null = "Yes.",
  at: Date = app.now(),
): FinishedTurn {
  return {
    conversationId,
    turnId: app.newId(),
    user: { text: asked, at },
    assistant: answered === null ? null : { text: answered, status: "complete", at },
  };
}
