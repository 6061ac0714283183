import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = (service: string): string => join(import.meta.dirname, "../../migrations", service);

/** The recommendation worker and people's objects in workerd; all workers together are tested in `test/`. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      main: "./index.ts",
      miniflare: {
        compatibilityDate: "2026-11-01",
        durableObjects: { USER_SESSION: { className: "UserSession", useSQLite: true } },
        // The records of the user worker: what an event costs is counted on them.
        d1Databases: ["DB", "USER_DB"],
        r2Buckets: ["MODELS", "TRAINING_LOG"],
        bindings: {
          MIGRATIONS: await readD1Migrations(migrations("recommendation")),
          USER_MIGRATIONS: await readD1Migrations(migrations("user")),
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
