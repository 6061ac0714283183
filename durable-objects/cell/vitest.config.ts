import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Runs the worker of the cells alone in workerd, with its own configuration. The tests of location call its objects. */
export default defineConfig({
  plugins: [cloudflareTest({ wrangler: { configPath: join(import.meta.dirname, "wrangler.toml") } })],
  test: { include: ["**/*.worker.test.ts"], testTimeout: 60_000 },
});
