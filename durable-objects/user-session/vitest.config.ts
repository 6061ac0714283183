import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Tests the worker of users' objects in workerd. The tests of the recommendation worker and of `test/` call its objects. */
export default defineConfig({
  plugins: [
    cloudflareTest({
      main: "./testing/worker.ts",
      miniflare: {
        compatibilityDate: "2026-11-01",
        durableObjects: { USER_SESSION: { className: "UserSession", useSQLite: true } },
        queueProducers: { INTERACTIONS: "interactions", LOCATIONS: "locations" },
        // Longer than the test that reads the queue's metrics.
        queueConsumers: { interactions: { maxBatchSize: 100, maxBatchTimeout: 60 } },
      },
    }),
  ],
  test: { include: ["**/*.worker.test.ts"], testTimeout: 60_000 },
});
