import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** The recommendation worker and people's objects in workerd; all six workers together are tested in `test/`. */
export default defineConfig({
  plugins: [
    cloudflareTest({
      main: "./index.ts",
      miniflare: {
        compatibilityDate: "2026-11-01",
        durableObjects: { USER_SESSION: { className: "UserSession", useSQLite: true } },
        queueProducers: { INTERACTIONS: "interactions", LOCATIONS: "locations" },
        modulesRules: [
          { type: "Data", include: ["**/*.onnx"], fallthrough: true },
          { type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true },
        ],
      },
    }),
  ],
  // The first test that loads the ONNX runtime takes seconds.
  test: { include: ["**/*.worker.test.ts"], testTimeout: 60_000 },
});
