import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { failurePolicy } from "../keys/failed-lookups.ts";
import { addressPolicy, networkSessionPolicy, sessionPolicy } from "./limit-address.ts";
import { applicationPolicy, ratePolicy } from "./rate-limit.ts";

it("states the same limits and periods as the bindings in wrangler.toml", () => {
  const toml = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");
  const policies = {
    RATE_LIMIT: ratePolicy,
    APPLICATION_RATE_LIMIT: applicationPolicy,
    ADDRESS_RATE_LIMIT: addressPolicy,
    FAILURE_RATE_LIMIT: failurePolicy,
    SESSION_RATE_LIMIT: sessionPolicy,
    NETWORK_SESSION_RATE_LIMIT: networkSessionPolicy,
  };
  for (const [name, { requests, seconds }] of Object.entries(policies))
    expect(toml).toMatch(
      new RegExp(
        `name = "${name}"\nnamespace_id = "\\d+"\nsimple = \\{ limit = ${requests}, period = ${seconds} \\}`,
      ),
    );
  const namespaces = [...toml.matchAll(/namespace_id = "(\d+)"/g)].map(([, id]) => id);
  expect(new Set(namespaces).size).toBe(namespaces.length);
});
