import { z } from "zod";
import type { PublicRoute, RouteReference } from "../../http/public-route.ts";
import { WorkspaceParams } from "../../workspaces/workspaces.schemas.ts";
import { showConnectPage, showReturnPage } from "./connect-page.ts";
import { showConnectStatus } from "./connect-status.ts";
import { LANGUAGES } from "./language.ts";

const ConnectPageQuery = z.strictObject({
  token: z.string().meta({ description: "Of the link: `connect_url` has it already.", example: "lo_wac_…" }),
  lang: z
    .enum(LANGUAGES)
    .optional()
    .meta({ description: "Without it, the browser's own language counts.", example: "it" }),
});

const ConnectPage = z.string().meta({ id: "WhatsAppConnectPage", example: "<!doctype html>…" });

const connectPage: RouteReference = {
  tag: "WhatsApp",
  summary: "The page that connects a number, for an iframe.",
  description:
    "Runs Meta's sign-up in your page's frame and tells it what came of it. Looking at it does not use the link up. " +
    "Markup, messages and errors are in `docs/whatsapp.md`.",
  access: "Opened by the token of a link, in its address.",
  params: WorkspaceParams,
  query: ConnectPageQuery,
  answers: {
    200: page("The sign-up, or where it stopped."),
    403: page("The link was made for a frame and was opened on its own."),
    404: page("There is no such link, or it is another workspace's."),
    410: page("The link was used, has expired, or was replaced by a newer one."),
    503: page("This installation has no app of Meta's."),
  },
  problems: ["internal"],
};

function page(description: string): RouteReference["answers"][number] {
  return { description, type: "text/html", schema: ConnectPage };
}

/** The page that connects a number, in a partner's frame or in a tab of its own. */
export const connectPageRoutes: readonly PublicRoute[] = [
  {
    id: "showWhatsAppConnectPage",
    method: "GET",
    path: "/api/v1/workspace/:slug/whatsapp/connect-page",
    reference: connectPage,
    handle: showConnectPage,
  },
  {
    id: "showWhatsAppConnectStatus",
    method: "GET",
    path: "/api/v1/workspace/:slug/whatsapp/connect-status",
    handle: showConnectStatus,
  },
  {
    id: "showWhatsAppReturnPage",
    method: "GET",
    path: "/connect/whatsapp/return",
    handle: showReturnPage,
  },
];
