import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const migrations = join(import.meta.dirname, "../../migrations/product");

/** A worker in the place of location: it takes every change, but for one application it is out of order. */
const places = `
  import { WorkerEntrypoint } from "cloudflare:workers";
  export class LocationService extends WorkerEntrypoint {
    applyProductChanges(application, changes) {
      return application === "outage"
        ? { ok: false, error: { code: "unavailable", detail: "out of order" } }
        : { ok: true, value: { applied: changes.length } };
    }
  }
  export default {};
`;

/** The product worker from its own configuration, in workerd on a real database, KV, R2 and queue. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      wrangler: { configPath: join(import.meta.dirname, "wrangler.toml") },
      miniflare: {
        bindings: { MIGRATIONS: await readD1Migrations(migrations) },
        workers: [
          { name: "vicinity-location", modules: true, compatibilityDate: "2026-11-01", script: places },
        ],
      },
    })),
  ],
  test: { include: ["**/*.worker.test.ts"], testTimeout: 60_000 },
});
