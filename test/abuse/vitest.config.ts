import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = join(import.meta.dirname, "../../migrations");

/** Attacks on the lists of other users, with real users' objects, cells, databases and the bundled model. */
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
        d1Databases: ["USERS", "CITIES", "MODELS_DB"],
        kvNamespaces: ["TILES"],
        r2Buckets: ["TRAINING_LOG", "MODELS"],
        bindings: {
          USER_MIGRATIONS: await readD1Migrations(join(migrations, "user")),
          CITY_MIGRATIONS: await readD1Migrations(join(migrations, "location")),
          MODEL_MIGRATIONS: await readD1Migrations(join(migrations, "recommendation")),
          LONG: process.env.VICINITY_LONG === "1",
          PSEUDONYM_SECRET: "a-secret-of-the-tests-0123456789abcdef",
          ROLLOUT: '{"exploration":{"rate":0}}',
        },
        modulesRules: [
          { type: "Data", include: ["**/*.onnx"], fallthrough: true },
          { type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true },
        ],
      },
    })),
  ],
  test: { name: "abuse", include: ["**/*.worker.test.ts"], testTimeout: 600_000, hookTimeout: 600_000 },
});
