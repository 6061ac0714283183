import { defineConfig } from "vitest/config";

/** Pure units in Node. Each worker's own `vitest.config.ts` runs its `*.worker.test.ts` in workerd. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.worker.test.ts", "test/**"],
    testTimeout: 30_000,
  },
});
