import { defineConfig } from "vitest/config";
import { seedFiles } from "./shared/testing/seed-files.ts";

/** All tests: units in Node, each worker in workerd, and all workers together. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "units",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.worker.test.ts", "test/**"],
          setupFiles: seedFiles,
          testTimeout: 30_000,
        },
      },
      "workers/*/vitest.config.ts",
      "durable-objects/*/vitest.config.ts",
      "test/faults/vitest.config.ts",
      "test/abuse/vitest.config.ts",
      "test/calls/vitest.config.ts",
      "test/vitest.config.ts",
    ],
  },
});
