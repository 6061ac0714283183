import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ratePolicy } from "./rate-limit.ts";

it("states the same limit and period as the binding in wrangler.toml", () => {
  const toml = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");
  expect(toml).toContain(`simple = { limit = ${ratePolicy.requests}, period = ${ratePolicy.seconds} }`);
});
