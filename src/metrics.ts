import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { App } from "./context.ts";

/** `GET /metrics` for Prometheus: the process, the time of every request by operation and status, and what the webhooks of Meta and Vapi brought. */
export function mountMetrics(fastify: FastifyInstance, app: App): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: "lumenone_http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer.",
    labelNames: ["operation", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  new Counter({
    name: "lumenone_whatsapp_updates_total",
    help: "What Meta's webhook brought: stored, repeated, for a number unknown here, unsigned, unreadable.",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(app.whatsappInbox.counts())) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: "lumenone_vapi_messages_total",
    help: "What Vapi told of calls: taken, of an assistant unknown here, unsigned, unreadable.",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(app.engineMessages.counts()))
        this.inc({ outcome }, count);
    },
  });
  const observers = new Map<string, (value: number) => void>();

  fastify.addHook("onResponse", (request, reply, done) => {
    const operation = request.routeOptions.config.operation?.id ?? "other";
    const key = `${operation} ${reply.statusCode}`;
    let observe = observers.get(key);
    if (observe === undefined) {
      const child = seconds.labels(operation, String(reply.statusCode));
      observe = (value) => child.observe(value);
      observers.set(key, observe);
    }
    observe(reply.elapsedTime / 1000);
    done();
  });
  fastify.get("/metrics", async (_request, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
}
