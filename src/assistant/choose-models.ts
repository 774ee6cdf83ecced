import type { App } from "../context.ts";
import { resolveChatModels, resolveInstalledModels } from "../models/resolve.ts";
import type { ChatModel } from "../ports/chat-model.ts";
import type { Turn } from "./begin-turn.ts";

/**
 * The models that may answer this turn, the workspace's choice first; none when none is configured. A turn with tools
 * is the agent model's where the workspace has one.
 */
export async function chooseModels(app: App, turn: Turn, hasTools: boolean): Promise<ChatModel[]> {
  const { workspace, caller, hasVendors } = turn;
  const isAgent = hasTools && (workspace.agent_provider !== null || workspace.agent_model !== null);
  const choice = {
    provider: isAgent ? workspace.agent_provider : workspace.chat_provider,
    model: isAgent ? workspace.agent_model : workspace.chat_model,
  };
  if (!hasVendors) return resolveInstalledModels(app, choice);
  return resolveChatModels(app, caller, { organizationId: workspace.organization_id, ...choice });
}
