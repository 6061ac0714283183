import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = join(import.meta.dirname, "../../migrations/recommendation");

/** Tests the recommendation worker and user objects in workerd; `test/` tests all workers together. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      main: "./testing/worker.ts",
      miniflare: {
        compatibilityDate: "2026-11-01",
        durableObjects: { USER_SESSION: { className: "UserSession", useSQLite: true } },
        d1Databases: ["DB"],
        r2Buckets: ["MODELS", "TRAINING_LOG", "DEAD_LETTERS"],
        bindings: {
          MIGRATIONS: await readD1Migrations(migrations),
          PSEUDONYM_SECRET: "a-secret-of-the-tests-0123456789abcdef",
          // The events and visits of most tests have exact locations.
          DEFAULT_CONSENT: "exact",
        },
        queueProducers: { INTERACTIONS: "interactions", LOCATIONS: "locations" },
        modulesRules: [
          { type: "Data", include: ["**/*.onnx"], fallthrough: true },
          { type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true },
        ],
      },
    })),
  ],
  // The first test that loads the ONNX runtime takes seconds.
  test: { include: ["**/*.worker.test.ts"], testTimeout: 60_000 },
});
