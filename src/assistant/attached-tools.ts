import type { App } from "../context.ts";
import { type CallContext, callTool } from "../tools/call-tool.ts";
import { listCallableTools } from "../tools/callable.ts";
import type { Turn } from "./begin-turn.ts";
import type { TurnTool } from "./turn-tools.ts";

/** The organization's tools that this workspace's assistant may call now. */
export async function attachedTools(app: App, turn: Turn, signal: AbortSignal): Promise<TurnTool[]> {
  const { tools } = await listCallableTools(app, callContextOf(turn), signal);
  return tools.map((tool) => ({
    definition: tool.chat,
    acts: tool.acts,
    isRecorded: true,
    run: (args, until) => callTool(app, callContextOf(turn), tool, args, until),
  }));
}

/** For whom and in which turn a call is made, for the ledger. */
export function callContextOf({ id, caller, workspace, conversation }: Turn): CallContext {
  return {
    partnerId: workspace.partner_id,
    accountId: workspace.account_id,
    organizationId: workspace.organization_id,
    workspaceId: workspace.id,
    conversationId: conversation?.id ?? null,
    turnId: id,
    actor: caller.actor,
    requestId: caller.requestId,
  };
}
