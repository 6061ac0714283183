import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { experimental_readRawConfig as readToml } from "wrangler";
import * as z from "zod";
import { applicationName } from "../../../shared/contracts/primitives.ts";
import { issuesOf } from "../../../shared/contracts/result.ts";
import { root } from "../../workers.ts";

const folder = join(root, "environments");

/** Percentages that grow and end with 100. */
const rolloutSteps = z
  .array(z.int().min(1).max(100))
  .min(1)
  .refine(
    (steps) => steps.at(-1) === 100 && steps.every((step, i) => i === 0 || step > steps[i - 1]),
    "must grow and end with 100, for example [5, 25, 100]",
  );

const settings = z.strictObject({
  suffix: z
    .string()
    .regex(/^(-[a-z][a-z0-9]*)?$/, 'must be empty or a word after a hyphen, such as "-staging"'),
  account_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits")
    .optional(),
  application: applicationName,
  rate_limit_offset: z.int().min(0).multipleOf(10_000),
  jurisdiction: z.enum(["eu", "us", "fedramp"]).optional(),
  location: z.enum(["weur", "eeur", "apac", "oc", "wnam", "enam"]).optional(),
  gateway: z.strictObject({
    workers_dev: z.boolean(),
    routes: z
      .array(
        z.union([
          z.strictObject({ pattern: z.string(), custom_domain: z.literal(true) }),
          z.strictObject({ pattern: z.string(), zone_name: z.string() }),
        ]),
      )
      .default([]),
    url: z.url({ protocol: /^https?$/ }).optional(),
  }),
  rollout: z.strictObject({ steps: rolloutSteps, pause_seconds: z.int().min(0).max(86_400) }),
  workers: z
    .record(
      z.string(),
      z.strictObject({
        vars: z.record(z.string(), z.string()).default({}),
        placement: z.record(z.string(), z.string()).optional(),
      }),
    )
    .default({}),
});

/** Where and how the workers are deployed: the content of a file in `environments/`, and its name. */
export type Environment = z.infer<typeof settings> & { name: string };

/** Returns the names of the environments, by alphabet. */
export const environmentNames = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".toml"))
    .map((file) => basename(file, ".toml"))
    .sort();

/** Parses the settings of an environment. Throws an error that names the wrong setting. */
export function parseEnvironment(name: string, input: unknown): Environment {
  const parsed = settings.safeParse(input);
  if (!parsed.success) {
    const [{ path, message }] = issuesOf(parsed.error, input);
    throw new Error(`environments/${name}.toml: ${path} ${message}`);
  }
  if (parsed.data.jurisdiction !== undefined && parsed.data.location !== undefined)
    throw new Error(`environments/${name}.toml: set \`jurisdiction\` or \`location\`, not both.`);
  return { name, ...parsed.data };
}

/** Reads an environment by its name. Throws if there is none, or if a setting is wrong. */
export function readEnvironment(name: string): Environment {
  const file = join(folder, `${name}.toml`);
  if (!/^[a-z][a-z0-9-]*$/.test(name) || !existsSync(file))
    throw new Error(
      `There is no environment "${name}"; environments/ has ${environmentNames().join(", ")}. Give one: --env ${environmentNames()[0]}`,
    );
  return parseEnvironment(name, readToml({ config: file }).rawConfig);
}
