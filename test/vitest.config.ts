import { defineConfig } from "vitest/config";

/** All workers together, from their real configurations; and the commands that a newcomer types. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["faults/**"],
    root: import.meta.dirname,
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
