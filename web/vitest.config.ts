import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { WAIT_LIMIT_MS } from "./testing/limits.js";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@milepost\/client$/, replacement: path("sdk/src/index.ts") },
      { find: /^@milepost\/client\/(.*)$/, replacement: path("sdk/src/$1/index.ts") },
    ],
  },
  test: {
    include: [
      "sdk/test/**/*.test.ts",
      "sdk/test/**/*.test.tsx",
      "pages/test/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    globalSetup: ["testing/global-setup.ts"],
    // Tests share two cores with the servers that they start.
    maxWorkers: 2,
    minWorkers: 1,
    // Limits against hangs, far beyond what a busy machine takes: that of a wait is less, so that it says what did not come.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: WAIT_LIMIT_MS, interval: 20 } },
  },
});
