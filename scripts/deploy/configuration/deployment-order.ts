import type { Unstable_RawConfig as RawConfig } from "wrangler";

/** Returns the names of the workers that a configuration binds: services, and owners of Durable Objects or Workflows. */
export const boundWorkers = (configuration: RawConfig): string[] =>
  [
    ...new Set([
      ...(configuration.services ?? []).map(({ service }) => service),
      ...(configuration.durable_objects?.bindings ?? []).flatMap(({ script_name }) => script_name ?? []),
      ...(configuration.workflows ?? []).flatMap(({ script_name }) => script_name ?? []),
    ]),
  ].filter((name) => name !== configuration.name);

/**
 * Returns the configurations in the order of deployment: a worker comes after those that it binds. So a binding always
 * finds its worker, and a new version never calls one that is older than itself. Throws if workers bind each other in a
 * circle, or if one binds a worker that is not among them.
 */
export function inDeploymentOrder<T extends { configuration: RawConfig & { name: string } }>(
  workers: readonly T[],
): T[] {
  const byName = new Map(workers.map((each) => [each.configuration.name, each]));
  const ordered: T[] = [];
  const visit = (worker: T, callers: readonly string[]): void => {
    const name = worker.configuration.name;
    if (ordered.includes(worker)) return;
    if (callers.includes(name))
      throw new Error(
        `Workers bind each other in a circle: ${[...callers.slice(callers.indexOf(name)), name].join(" → ")}. The first of them could never be deployed to an empty account.`,
      );
    for (const bound of boundWorkers(worker.configuration)) {
      const callee = byName.get(bound);
      if (!callee) throw new Error(`${name} binds the worker "${bound}", which is not deployed with it.`);
      visit(callee, [...callers, name]);
    }
    ordered.push(worker);
  };
  for (const worker of workers) visit(worker, []);
  return ordered;
}
