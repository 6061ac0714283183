import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = join(import.meta.dirname, "../../migrations/trainer");

/** Runs the steps of a recalibration in workerd with a real bucket and database. `test/` tests them with all workers. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      miniflare: {
        compatibilityDate: "2026-11-01",
        d1Databases: ["DB"],
        r2Buckets: ["TRAINING_LOG"],
        bindings: {
          LONG: process.env.VICINITY_LONG === "1",
          MIGRATIONS: await readD1Migrations(migrations),
        },
        modulesRules: [{ type: "Data", include: ["**/*.onnx"], fallthrough: true }],
      },
    })),
  ],
  test: { include: ["**/*.worker.test.ts"], testTimeout: 600_000 },
});
