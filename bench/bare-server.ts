import { createHash, randomBytes } from "node:crypto";
import Fastify from "fastify";
import { z } from "zod";

/** What the numbers are compared with: one Fastify route, a hashed key look-up, a zod schema, and nothing else. */
const key = randomBytes(32).toString("base64url");
const keys = new Map([[createHash("sha256").update(key).digest("base64"), { id: 1 }]]);
const Answer = z.object({ authenticated: z.literal(true) });

const fastify = Fastify();
fastify.get("/api/v1/auth", async (request, reply) => {
  const secret = request.headers.authorization?.slice("Bearer ".length) ?? "";
  const found = keys.get(createHash("sha256").update(secret).digest("base64"));
  if (found === undefined) return reply.code(403).send({ authenticated: false });
  return reply.type("application/json").send(JSON.stringify(Answer.parse({ authenticated: true })));
});
const url = await fastify.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ url, key })}\n`);
