import type { App } from "../../context.ts";
import { notFound } from "../../http/problem.ts";
import type { PublicAnswer, PublicRequest } from "../../http/public-route.ts";
import { viewPageToken } from "../page-token.ts";
import type { StatusData } from "./page-data.ts";
import { sealTopLevelPass } from "./top-level-pass.ts";

/**
 * What became of a link, for the page in the frame while its reader is busy in another tab: the two cannot talk to
 * one another. Also renews the pass for that other tab.
 */
export async function showConnectStatus(app: App, { params, headers }: PublicRequest): Promise<PublicAnswer> {
  const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  const view = await viewPageToken(app, params.slug ?? "", token);
  if (view.state === "unknown") throw notFound("link");
  const status: StatusData = {
    success: true,
    state: view.state,
    outcome: view.outcome,
    pass: view.state === "valid" ? sealTopLevelPass(app, token) : null,
  };
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
    body: JSON.stringify(status),
  };
}
