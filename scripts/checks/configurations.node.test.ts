import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { usualConsent } from "../../shared/consent/default-consent.ts";
import { root, workerNamed, workers } from "../workers.ts";

/** Each worker's wrangler.toml: its path and its text. */
const configurations = workers.map(
  ({ config }) => [config, readFileSync(join(root, config), "utf8")] as const,
);

/** Returns the names of a configuration's variables, in all environments. */
const variables = (text: string): string[] =>
  text
    .split(/\n(?=\[)/)
    .filter((block) => /^\[(\w+\.)*vars\]/.test(block))
    .flatMap((block) => [...block.matchAll(/^(\w+) *=/gm)].map(([, name]) => name));

describe("wrangler.toml", () => {
  it("contains no secret", () => {
    const names = configurations.flatMap(([, text]) => variables(text));
    // A new variable must be reviewed, since everybody can read it, and then be added to this list.
    expect(names).toEqual([
      "DEFAULT_CONSENT",
      "MIN_USERS_SHOWN",
      "DISMISSED_DAYS",
      "PURCHASED",
      "PURCHASED_DAYS",
      "LAST_LOCATION_HOURS",
      "DEFAULT_CONSENT",
      "COUNTING",
      "ROLLOUT",
      "CLICK_WINDOW_SECONDS",
      "RECEIPT_DAYS",
      "DEFAULT_CONSENT",
      "COUNTING",
      "DEFAULT_CONSENT",
      "MIN_USERS_SHOWN",
      "MIN_USERS_SHOWN",
      "RECALIBRATION",
    ]);
    for (const [config, text] of configurations)
      expect(text, config).not.toMatch(/TOKEN_SECRET|DEVELOPMENT_KEYS|LOCAL_PROXY_SECRET/);
  });

  it("names one consent of users who state none, in all workers that need it", () => {
    const stated = configurations.flatMap(([, text]) => text.match(/^DEFAULT_CONSENT = .*$/m) ?? []);
    expect(stated).toHaveLength(4);
    expect(new Set(stated)).toEqual(new Set([`DEFAULT_CONSENT = "${usualConsent}"`]));
  });

  it("gives a setting that several workers need one value", () => {
    for (const [name, count] of [
      ["COUNTING", 2],
      ["MIN_USERS_SHOWN", 3],
    ] as const) {
      const stated = configurations.flatMap(
        ([, text]) => text.match(new RegExp(`^${name} = .*$`, "m")) ?? [],
      );
      expect(stated).toHaveLength(count);
      expect(new Set(stated).size, name).toBe(1);
    }
  });

  it("gives the workers of objects no public address", () => {
    for (const name of ["user-session", "cell"]) {
      const text = readFileSync(join(root, workerNamed(name).config), "utf8");
      expect(text, name).toMatch(/^workers_dev = false$/m);
      expect(text, name).toMatch(/^preview_urls = false$/m);
    }
  });

  it("turns invocation logs off, since a request's path may contain a user id", () => {
    for (const [config, text] of configurations) expect(text, config).toContain("invocation_logs = false");
  });
});
