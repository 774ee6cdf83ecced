import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), "utf8");

/** One instruction of a Dockerfile, its continued lines joined. */
const instructions = read("Dockerfile")
  .replaceAll(/\\\n\s*/g, " ")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => ({ name: line.split(" ")[0] ?? "", rest: line.slice(line.indexOf(" ") + 1) }));
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
const ofLastStage = (wanted: string) =>
  lastStage.filter(({ name }) => name === wanted).map(({ rest }) => rest);

describe("the Dockerfile", () => {
  test("runs on the Node that the code needs, as somebody who is not root", () => {
    const { dependencies } = JSON.parse(read("package.json"));
    const major = dependencies.node.split(".")[0];
    for (const { rest } of instructions.filter(({ name }) => name === "FROM"))
      expect(rest).toMatch(new RegExp(`^node:${major}-`));
    expect(ofLastStage("USER")).toEqual(["node"]);
  });

  test("installs what is locked, without what is for development only", () => {
    const runs = instructions.filter(({ name }) => name === "RUN").map(({ rest }) => rest);
    expect(runs).toContain("npm ci --omit=dev");
  });

  test("copies only what is there and what .dockerignore lets in", () => {
    const let_in = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copies = instructions.filter(({ name, rest }) => name === "COPY" && !rest.startsWith("--from"));
    for (const { rest } of copies) {
      for (const source of rest.split(" ").slice(0, -1)) {
        expect(existsSync(join(ROOT, source)), source).toBe(true);
        expect(let_in).toContain(source);
      }
    }
  });

  test("keeps data in a volume, asks for health, and starts the server itself", () => {
    expect(ofLastStage("VOLUME")).toEqual(["/data"]);
    expect(ofLastStage("HEALTHCHECK")[0]).toContain("/health/ready");
    const [command] = ofLastStage("CMD").map((rest) => JSON.parse(rest));
    expect(command[0]).toBe("node");
    expect(existsSync(join(ROOT, command.at(-1)))).toBe(true);
  });
});

describe("compose.yaml", () => {
  const { services, volumes } = parse(read("compose.yaml"));

  test("runs the server on PostgreSQL 15 or newer, once that is ready", () => {
    const [, major] = /^postgres:(\d+)/.exec(services.postgres.image) ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(15);
    expect(services.lumenone.depends_on.postgres.condition).toBe("service_healthy");
    expect(services.postgres.healthcheck.test[0]).toBe("CMD");
  });

  test("logs in as somebody who is no superuser", () => {
    const { DATABASE_URL } = services.lumenone.environment;
    expect(DATABASE_URL).toMatch(/^postgres:\/\/lumenone:/);
    const script = read("docs/postgres-init.sh");
    expect(script).toContain("create role lumenone login createrole password");
    expect(script).not.toMatch(/\b(superuser|bypassrls)\b(?=.*;)/);
  });

  test("asks for its secrets instead of having any", () => {
    const { environment } = services.lumenone;
    expect(environment.SECRET_KEY).toMatch(/^\$\{SECRET_KEY:\?/);
    expect(environment.DATABASE_URL).toContain("${DATABASE_PASSWORD:?");
  });

  test("mounts only what is there, and publishes to this machine only", () => {
    const mounts = Object.values<{ volumes: string[] }>(services).flatMap((service) => service.volumes);
    for (const mount of mounts) {
      const [source = ""] = mount.split(":");
      if (source.startsWith("./")) expect(existsSync(join(ROOT, source)), source).toBe(true);
      else expect(Object.keys(volumes)).toContain(source);
    }
    for (const port of services.lumenone.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});

test("the shell scripts are well-formed", () => {
  for (const [shell, name] of [
    ["bash", ".ci/run"],
    ["sh", "docs/postgres-init.sh"],
  ] as const)
    expect(execFileSync(shell, ["-n", join(ROOT, name)]).toString()).toBe("");
});
