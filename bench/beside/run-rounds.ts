import type { Marketplace } from "../../scripts/marketplace/marketplace.ts";
import { type LoadFigures, measureLoad } from "../load/measure-load.ts";
import { treeUsage } from "../load/process-tree.ts";
import { orderOf, type PairedValues } from "./compare.ts";
import { type Measurement, maxPerLoad, measurementGroups } from "./measurements.ts";
import type { ComparisonOptions } from "./options.ts";
import type { Recommender } from "./recommender.ts";
import { sourcesOf } from "./request-sources.ts";

/** One side, ready to be measured. */
export interface Side {
  role: "peer" | "vicinity";
  recommender: Recommender;
  url: string;
  /** First process of the server; null if it was not found. */
  root: number | null;
}

/** Collects the values of figures by name, a value for each side and round. */
export class PairedFigures {
  readonly #values = new Map<string, PairedValues>();
  /** Failed requests by measurement and side, with the first reasons. */
  readonly failures: string[] = [];

  add(name: string, unit: string, role: Side["role"], value: number): void {
    const values = this.#values.get(name) ?? { name, unit, peer: [], vicinity: [] };
    this.#values.set(name, values);
    values[role].push(value);
  }

  /** Adds all figures of a load, and its failures. */
  addLoad({ name, figures }: Measurement, { role, recommender }: Side, load: LoadFigures): void {
    for (const figure of figures) this.add(`${name}: ${figure.name}`, figure.unit, role, figure.of(load));
    if (load.failed > 0)
      this.failures.push(
        `${name}, ${recommender.name}: ${load.failed} failed beside ${load.times.n} good answers: ${load.failures.join("; ")}`,
      );
  }

  get values(): PairedValues[] {
    return [...this.#values.values()];
  }
}

/** Runs all rounds on both sides and returns what was measured. `run` is a part of all event ids. */
export async function runRounds(
  sides: readonly [Side, Side],
  options: Pick<ComparisonOptions, "rounds" | "seconds" | "warmUp" | "maxWorkAfter" | "items" | "groups">,
  marketplace: Marketplace,
  run: string,
  log: (line: string) => void,
): Promise<PairedFigures> {
  const paired = new PairedFigures();
  const measurements: Measurement[] = options.groups.flatMap(
    (name): Measurement[] => measurementGroups[name],
  );
  const sources = new Map(sides.map((side) => [side, sourcesOf(marketplace, run, options.items)]));
  const measure = (side: Side, measurement: Measurement, seconds: number, round: number) =>
    measureLoad(
      {
        url: side.url,
        connections: measurement.connections,
        seconds,
        maxRequests: maxPerLoad(measurement),
        next(n) {
          const own = sources.get(side);
          if (!own) throw new Error(`There are no requests for ${side.recommender.name}.`);
          // Each round starts with other users.
          return measurement.request(side.recommender, own, n + round * 997);
        },
      },
      side.root,
      options.maxWorkAfter,
    );

  for (const side of sides)
    for (const measurement of measurements) {
      log(`warm up ${side.recommender.name}: ${measurement.name}`);
      await measure(side, measurement, options.warmUp, options.rounds);
    }
  for (let round = 0; round < options.rounds; round++) {
    for (const measurement of measurements) {
      log(`round ${round + 1} of ${options.rounds}: ${measurement.name}`);
      for (const side of orderOf(round, sides)) {
        paired.addLoad(measurement, side, await measure(side, measurement, options.seconds, round));
      }
    }
    for (const { role, root } of sides)
      paired.add(
        "resident memory of all processes",
        "MB",
        role,
        root === null ? Number.NaN : treeUsage(root).residentMegabytes,
      );
  }
  return paired;
}
