import type { BrowserFrame } from "../../relay/browser-frames.ts";

/** A call while it lasts. */
export interface TestLine {
  send(message: object): void;
}

/** Why there is no call, in a sentence for who wanted one. */
export class NoCall extends Error {}

/** The slug's UTF-8 bytes in hex, as paths want it. */
function hexOf(slug: string): string {
  return [...new TextEncoder().encode(slug)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export interface Credentials {
  key: string;
  account: string;
  workspace: string;
}

/** @throws NoCall */
export async function mintToken({
  key,
  account,
  workspace,
}: Credentials): Promise<{ token: string; url: string }> {
  const path = `/api/v1/workspace/${hexOf(workspace)}/voice-integration/test-call`;
  const headers = { authorization: `Bearer ${key}`, "x-account-id": account };
  const response = await window
    .fetch(path, { method: "POST", headers, credentials: "omit", cache: "no-store" })
    .catch(() => {
      throw new NoCall("The server cannot be reached.");
    });
  const body = await response.json();
  if (!response.ok) throw new NoCall(String(body.message ?? response.status));
  return { token: String(body.token), url: String(body.url) };
}

/**
 * Opens the line that a token is for, at the address that this page came from, whatever the public one is.
 *
 * @param onClose `null`: it ended in order
 */
export function openLine(
  { token, url }: { token: string; url: string },
  onFrame: (frame: BrowserFrame) => void,
  onClose: (complaint: string | null) => void,
): TestLine {
  const address = new URL(new URL(url).pathname, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.addEventListener("open", () =>
    socket.send(JSON.stringify({ type: "setup", callSid: "browser", customParameters: { token } })),
  );
  socket.addEventListener("message", ({ data }) => {
    const frame = asFrame(JSON.parse(String(data)));
    onFrame(frame);
    if (frame.type === "end") socket.close(1000);
  });
  socket.addEventListener("close", ({ code }) => onClose(complaintOf(code)));
  return {
    send(message) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
  };
}

/** The server sends nothing else. */
function asFrame(value: unknown): BrowserFrame {
  return value as BrowserFrame;
}

function complaintOf(code: number): string | null {
  if (code === 1000 || code === 1001 || code === 1005) return null;
  if (code === 1008) return "The assistant did not answer: it was removed, or its account is suspended.";
  return `The line broke (${code}).`;
}
