import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { seedFiles } from "../../shared/testing/seed-files.ts";

const migrations = join(import.meta.dirname, "../../migrations/product");

/** A stub of the location worker: it refuses the changes of the application `outage` and accepts all others. */
const locationStub = `
  import { WorkerEntrypoint } from "cloudflare:workers";
  export class LocationService extends WorkerEntrypoint {
    applyProductChanges(application, changes) {
      return application === "outage"
        ? { ok: false, error: { code: "unavailable", detail: "The spatial index is down." } }
        : { ok: true, value: { applied: changes.length } };
    }
  }
  export default {};
`;

/** Runs the tests of the product worker in workerd, with its own configuration, on real D1, KV, R2 and queues. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      wrangler: { configPath: join(import.meta.dirname, "wrangler.toml") },
      miniflare: {
        bindings: { MIGRATIONS: await readD1Migrations(migrations) },
        workers: [
          { name: "vicinity-location", modules: true, compatibilityDate: "2026-11-01", script: locationStub },
        ],
      },
    })),
  ],
  test: { include: ["**/*.worker.test.ts"], setupFiles: seedFiles, testTimeout: 60_000 },
});
