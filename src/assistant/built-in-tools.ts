import { z } from "zod";
import type { App } from "../context.ts";
import type { WorkspaceRow } from "../workspaces/find.ts";
import { searchFor } from "./grounding.ts";
import { sourceText } from "./prompt.ts";
import type { Evidence } from "./sources.ts";
import type { ToolResult, TurnTool } from "./turn-tools.ts";

const SearchArguments = z.object({ query: z.string().trim().min(1).max(1_000) });
const HandoffArguments = z.object({ reason: z.string().max(1_000).nullish() });

/** Lets the model search again, for what the first search did not ask. */
export function searchTool(app: App, workspace: WorkspaceRow, evidence: Evidence[], mark: string): TurnTool {
  return {
    acts: false,
    isRecorded: false,
    definition: {
      name: "search_documents",
      description:
        "Searches the documents for passages about a query. Use it when the sources at hand do not answer the question.",
      parameters: {
        type: "object",
        properties: {
          query: { type: "string", description: "What to look for, in the words of the documents." },
        },
        required: ["query"],
        additionalProperties: false,
      },
    },
    run: (args) =>
      timed(app, async () => {
        const parsed = SearchArguments.safeParse(args);
        if (!parsed.success) return failed("The argument `query` must be a text.");
        const found = await searchFor(app, workspace, parsed.data.query).catch((error: unknown) => {
          app.log.warn({ error, workspaceId: workspace.id }, "a search that a model asked for failed");
          return null;
        });
        if (found === null) return failed("The search failed.");
        return { status: "ok", content: offer(found, evidence, mark) };
      }),
  };
}

/** What is new gets the next numbers, what was offered before keeps its own. */
function offer(found: readonly Evidence[], evidence: Evidence[], mark: string): string {
  if (found.length === 0) return "Nothing was found.";
  return found
    .map((one) => {
      const known = evidence.findIndex(({ id }) => id === one.id);
      const number = known === -1 ? evidence.push(one) : known + 1;
      return sourceText(one, number, mark);
    })
    .join("\n");
}

/** @param request marks the conversation; answers whether that was new */
export function handoffTool(app: App, request: (reason: string | null) => Promise<boolean>): TurnTool {
  return {
    acts: true,
    isRecorded: false,
    definition: {
      name: "request_handoff",
      description:
        "Asks a human of the organization to take over this conversation. Use it when the person asks for a human, or when you cannot help.",
      parameters: {
        type: "object",
        properties: { reason: { type: "string", description: "Why, in one sentence." } },
        additionalProperties: false,
      },
    },
    run: (args) =>
      timed(app, async () => {
        const parsed = HandoffArguments.safeParse(args ?? {});
        if (!parsed.success) return failed("The argument `reason` must be a text.");
        try {
          const isNew = await request(parsed.data.reason ?? null);
          const content = isNew
            ? "A human was asked to take over. Tell the person so."
            : "A human was asked already. Tell the person so.";
          return { status: "ok", content };
        } catch (error) {
          app.log.error({ error }, "a handoff could not be stored");
          return failed("No human could be asked.");
        }
      }),
  };
}

async function timed(app: App, work: () => Promise<Omit<ToolResult, "ms">>): Promise<ToolResult> {
  const begun = app.now().getTime();
  return { ...(await work()), ms: app.now().getTime() - begun };
}

function failed(content: string): Omit<ToolResult, "ms"> {
  return { status: "failed", content, code: "tool_error" };
}
