import { createHash } from "node:crypto";
import multipart from "@fastify/multipart";
import Fastify from "fastify";

/** What uploads are compared with: one Fastify route that hashes the file of a form, and keeps nothing. */
const fastify = Fastify();
await fastify.register(multipart);
fastify.post("/upload", async (request) => {
  const hash = createHash("sha256");
  for await (const part of request.parts()) {
    if (part.type === "file") for await (const chunk of part.file) hash.update(chunk);
  }
  return { sha256: hash.digest("hex") };
});
const url = await fastify.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ url })}\n`);
