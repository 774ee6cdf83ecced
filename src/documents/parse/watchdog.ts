import { Worker } from "node:worker_threads";

/**
 * Starts a thread beside the reading one, for when that one is lost in a file: it ends the whole process when the
 * server has died (nobody else would), and when memory passes the limit where the server cannot look for itself.
 */
export function startWatchdog(memoryBytes: number): void {
  new Worker(SOURCE, {
    eval: true,
    workerData: { memoryBytes, server: process.ppid },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  }).unref();
}

/** Plain JavaScript in a string: a file of its own would load the type stripper a second time, 13 MB a process. */
const SOURCE = `
  const { memoryBytes, server } = require("node:worker_threads").workerData;
  setInterval(() => {
    if (process.ppid !== server || process.memoryUsage.rss() > memoryBytes) process.kill(process.pid, "SIGKILL");
  }, 250);
`;
