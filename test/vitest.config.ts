import { defineConfig } from "vitest/config";

/** Tests of all workers together, with their real configurations, and of the commands that start them. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["faults/**", "abuse/**", "calls/**"],
    root: import.meta.dirname,
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
