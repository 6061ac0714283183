import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = join(import.meta.dirname, "../../migrations/gateway");

/** Tests the gateway alone: in workerd, with a real D1 database. The tests in `test/` run all workers. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      miniflare: {
        compatibilityDate: "2026-11-01",
        d1Databases: ["DB"],
        kvNamespaces: ["KEYS"],
        ratelimits: { RATE_LIMIT: { namespace_id: "1001", simple: { limit: 5, period: 10 } } },
        bindings: { MIGRATIONS: await readD1Migrations(migrations) },
      },
    })),
  ],
  test: {
    include: ["**/*.worker.test.ts"],
    setupFiles: ["testing/apply-migrations.ts"],
    // Each test uses names of its own, so all files can share one worker.
    isolate: false,
    testTimeout: 30_000,
  },
});
