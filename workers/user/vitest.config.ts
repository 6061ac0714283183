import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { seedFiles } from "../../shared/testing/seed-files.ts";

const migrations = join(import.meta.dirname, "../../migrations/user");

/** Runs the tests of the user worker in workerd, on real D1 databases. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      miniflare: {
        compatibilityDate: "2026-11-01",
        d1Databases: ["DB", "DB_1"],
        // The events of most tests have exact locations.
        bindings: {
          MIGRATIONS: await readD1Migrations(migrations),
          DEFAULT_CONSENT: "exact",
          LONG: process.env.VICINITY_LONG === "1",
        },
      },
    })),
  ],
  test: { include: ["**/*.worker.test.ts"], setupFiles: seedFiles, testTimeout: 60_000 },
});
