import { defineConfig } from "vitest/config";

/** Real browser, real server: `npm run test:e2e`. Needs Chromium; `CHROMIUM` names it when it is elsewhere. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.e2e.ts"],
    pool: "forks",
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
