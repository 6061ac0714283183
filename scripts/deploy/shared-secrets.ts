import { randomBytes } from "node:crypto";

/** The secrets that a worker requires, and those of them that it lacks. */
export interface RequiredSecrets {
  worker: string;
  required: readonly string[];
  missing: readonly string[];
}

/**
 * Returns the secrets to set, by worker: a secret has one value in all workers that require it. A value of `given` counts,
 * else a random one is made. Throws if a worker has the secret and another one lacks it: Cloudflare shows no secret again,
 * and two values would separate what belongs together.
 */
export function planSecrets(
  workers: readonly RequiredSecrets[],
  given: Readonly<Record<string, string | undefined>>,
): Map<string, Record<string, string>> {
  const values = new Map<string, string>();
  const plan = new Map<string, Record<string, string>>();
  for (const { worker, missing } of workers)
    for (const name of missing) {
      const holder = workers.find((each) => each.required.includes(name) && !each.missing.includes(name));
      const value = given[name] ?? values.get(name);
      if (holder !== undefined && value === undefined)
        throw new Error(
          `The worker ${worker} needs the secret ${name} that the worker ${holder.worker} has. ` +
            `Give its value: ${name}=VALUE npm run deploy. If no copy was kept, set a new one in both workers; docs/guides/operate.md says what that means.`,
        );
      values.set(name, value ?? randomBytes(32).toString("hex"));
      plan.set(worker, { ...plan.get(worker), [name]: values.get(name) as string });
    }
  return plan;
}
