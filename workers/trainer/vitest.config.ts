import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Runs the steps of a recalibration in workerd with a real bucket. `test/` tests them with all workers. */
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      miniflare: {
        compatibilityDate: "2026-11-01",
        r2Buckets: ["TRAINING_LOG"],
        bindings: { LONG: process.env.VICINITY_LONG === "1" },
        modulesRules: [{ type: "Data", include: ["**/*.onnx"], fallthrough: true }],
      },
    })),
  ],
  test: { include: ["**/*.worker.test.ts"], testTimeout: 600_000 },
});
