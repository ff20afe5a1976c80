import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

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
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
  },
});
