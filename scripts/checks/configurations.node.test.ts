import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, workers } from "../workers.ts";

const configurations = workers.map(
  ({ config }) => [config, readFileSync(join(root, config), "utf8")] as const,
);

/** Names of the variables of a configuration, in whatever environment. */
const variables = (text: string): string[] =>
  text
    .split(/\n(?=\[)/)
    .filter((block) => /^\[(\w+\.)*vars\]/.test(block))
    .flatMap((block) => [...block.matchAll(/^(\w+) *=/gm)].map(([, name]) => name));

describe("the configuration of each worker", () => {
  it("has only variables that anybody may read: secrets are the platform's", () => {
    const names = configurations.flatMap(([, text]) => variables(text));
    // Another one is to be looked at, and then named here.
    expect(names).toEqual(["CLICK_WINDOW_SECONDS", "RECEIPT_DAYS", "ROLLOUT", "RECALIBRATION"]);
    for (const [config, text] of configurations)
      expect(text, config).not.toMatch(/TOKEN_SECRET|DEVELOPMENT_KEYS/);
  });

  it("lets the platform write no line for a request, since its address may name a person", () => {
    for (const [config, text] of configurations) expect(text, config).toContain("invocation_logs = false");
  });
});
