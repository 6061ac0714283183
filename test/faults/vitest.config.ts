import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = join(import.meta.dirname, "../../migrations");

/**
 * Tests of the event path with real Durable Objects, databases and buckets, and injected faults in every call between
 * them.
 */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      main: "./worker.ts",
      miniflare: {
        compatibilityDate: "2026-11-01",
        durableObjects: {
          USER_SESSION: { className: "UserSession", useSQLite: true },
          CELL: { className: "Cell", useSQLite: true },
        },
        d1Databases: ["DB", "DB_1", "REGISTRY"],
        kvNamespaces: ["TILES"],
        r2Buckets: ["TRAINING_LOG", "DEAD_LETTERS"],
        bindings: {
          MIGRATIONS: await readD1Migrations(join(migrations, "user")),
          REGISTRY_MIGRATIONS: await readD1Migrations(join(migrations, "recommendation")),
          PSEUDONYM_SECRET: "a-secret-of-the-tests-0123456789abcdef",
          // The events and visits of most tests have exact locations.
          DEFAULT_CONSENT: "exact",
          LONG: process.env.VICINITY_LONG === "1",
          // What is lost or counted twice must not hide behind the hours in which a user counts.
          COUNTING: '{"timesCounted":1000}',
        },
      },
    })),
  ],
  test: { name: "faults", include: ["**/*.worker.test.ts"], testTimeout: 300_000 },
});
