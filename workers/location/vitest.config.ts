import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { seedFiles } from "../../shared/testing/seed-files.ts";

/** Tests the location worker alone: cells in workerd, with a real KV. The tests in `test/` run all workers. */
export default defineConfig({
  plugins: [
    cloudflareTest({
      main: "./testing/worker.ts",
      miniflare: {
        compatibilityDate: "2026-11-01",
        durableObjects: { CELL: { className: "Cell", useSQLite: true } },
        kvNamespaces: ["TILES"],
        // Tests of other rules show transitions of a single user.
        bindings: { LONG: process.env.VICINITY_LONG === "1", MIN_USERS_SHOWN: "1" },
      },
    }),
  ],
  test: { include: ["**/*.worker.test.ts"], setupFiles: seedFiles, testTimeout: 60_000 },
});
