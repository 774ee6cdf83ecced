import { once } from "node:events";
import { createServer } from "node:http";

/** A partner's site with our page in a frame, as `docs/whatsapp.md` tells partners to build it. */
export interface PartnerPage {
  origin: string;
  /** The address of a page that frames `url`. */
  framing(url: string, options?: FramingOptions): string;
  close(): Promise<void>;
}

export interface FramingOptions {
  /** `Cross-Origin-Opener-Policy` of the partner's page. */
  coop?: string;
  /** Without it the attributes that the documentation names. */
  sandbox?: string;
  /** Another frame beside ours, which may try to speak to it. */
  beside?: string;
}

const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox";

export async function startPartnerPage(): Promise<PartnerPage> {
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    const url = query.get("url");
    if (url === null) return void response.writeHead(404).end();
    const coop = query.get("coop");
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      ...(coop !== null && { "cross-origin-opener-policy": coop }),
    });
    response.end(pageAround(url, query.get("sandbox") ?? SANDBOX, query.get("beside")));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  // By name, so that it is another site than our page, which is called by its address.
  const origin = `http://localhost:${typeof address === "object" ? address?.port : ""}`;
  return {
    origin,
    framing: (url, options = {}) => `${origin}/?${new URLSearchParams({ url, ...options })}`,
    async close() {
      server.close();
      await once(server, "close");
    },
  };
}

function pageAround(url: string, sandbox: string, beside: string | null): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>A partner</title><link rel="icon" href="data:,">
<style>body { margin: 0; } iframe { display: block; width: 100%; border: 0; }</style>
<iframe id="connect" title="WhatsApp" src="${attribute(url)}" sandbox="${attribute(sandbox)}" referrerpolicy="strict-origin" height="700"></iframe>
<script>
  window.told = [];
  addEventListener("message", (event) => {
    const frame = document.querySelector("#connect");
    if (event.source !== frame.contentWindow || event.origin !== new URL(frame.src).origin) return;
    told.push(event.data);
    if (event.data.type === "whatsapp.resize") frame.height = event.data.height;
  });
</script>
${beside === null ? "" : `<iframe title="Beside" src="${attribute(beside)}" height="10"></iframe>`}`;
}

function attribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
}
