import { z } from "zod";
import { type Operation, operation } from "../http/operation.ts";

export const partnerOperations: Operation[] = [
  operation({
    id: "verifyKey",
    method: "GET",
    path: "/v1/auth",
    tag: "Authentication",
    scope: null,
    tenant: "partner",
    summary: "Verify an API key.",
    response: { 200: z.object({ authenticated: z.literal(true) }).meta({ id: "Authenticated" }) },
    handle: async () => ({ authenticated: true as const }),
  }),
];
