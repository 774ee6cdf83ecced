import { z } from "zod";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Credentials and people's messages go there: in the clear to this machine at most. */
export const serviceUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => url.startsWith("https:") || LOOPBACK.test(new URL(url).hostname), "is not https")
  .transform((url) => url.replace(/\/+$/, ""));
