import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support.ts";
import { lockDataDirectory } from "./data-directory.ts";
import { StartRefused } from "./start-refused.ts";

const MODULE = fileURLToPath(new URL("./data-directory.ts", import.meta.url));
/** Takes the lock, says how that went, and holds it until it is killed. */
const PROGRAM = `
  import { lockDataDirectory } from ${JSON.stringify(MODULE)};
  try { await lockDataDirectory(process.argv[1]); console.log("held"); setInterval(() => {}, 1000); }
  catch (error) { console.log(error.name); }`;

describe("the lock of a data directory", { timeout: 60_000 }, () => {
  test("goes to exactly one of ten processes that ask at once, and to the next when that one is killed", async () => {
    const folder = await temporaryFolder();
    for (let round = 0; round < 3; round += 1) {
      const contenders = Array.from({ length: 10 }, () => contend(folder));
      const outcomes = await Promise.all(contenders.map(({ outcome }) => outcome));
      expect(outcomes.toSorted()).toEqual([...Array(9).fill("StartRefused"), "held"]);
      await expect(lockDataDirectory(folder)).rejects.toThrow("is in use by process");
      for (const { kill } of contenders) await kill();
    }
    const unlock = await lockDataDirectory(folder);
    unlock();
  });

  test("names its holder, and is not given twice inside one process either", async () => {
    const folder = await temporaryFolder();
    const unlock = await lockDataDirectory(folder);
    const again = lockDataDirectory(folder);
    await expect(again).rejects.toThrow(StartRefused);
    await expect(again).rejects.toThrow(`is in use by process ${process.pid}. Stop that process`);
    expect(await contend(folder).outcome).toBe("StartRefused");
    unlock();
    const { outcome, kill } = contend(folder);
    expect(await outcome).toBe("held");
    await kill();
  });
});

function contend(folder: string): { outcome: Promise<string>; kill(): Promise<void> } {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, folder], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  return {
    outcome: once(child.stdout, "data").then(([chunk]) => String(chunk).trim()),
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
