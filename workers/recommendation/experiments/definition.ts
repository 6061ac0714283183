import type * as z from "zod";
import {
  type Experiment,
  type ExperimentInput,
  type ExperimentVariant,
  experiment,
} from "../../../shared/contracts/experiment.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { ExperimentRow } from "./experiment-store.ts";

/** The part of an experiment that its row holds as JSON: what the client defined, without the times. */
export const storedDefinition = experiment.omit({
  ...{ name: true, run: true, status: true, startsAt: true, endsAt: true, createdAt: true },
});

export type StoredDefinition = z.infer<typeof storedDefinition>;

/** Returns the part of a definition that is stored as JSON. `variants` are those of the input with their scenarios. */
export function definitionOf(
  { startsAt: _, endsAt: __, ...definition }: ExperimentInput,
  variants: readonly ExperimentVariant[],
): StoredDefinition {
  return storedDefinition.parse({ ...definition, variants });
}

/**
 * Returns the stored definition of an experiment that a client defines again, with the scenarios as they were then; null if
 * it names others.
 */
export function definitionAsStored(
  input: ExperimentInput,
  stored: StoredDefinition,
): StoredDefinition | null {
  const variants: ExperimentVariant[] = [];
  for (const [i, { scenario, ...variant }] of input.variants.entries()) {
    if (scenario === undefined) {
      variants.push(variant);
      continue;
    }
    const pinned = stored.variants[i]?.scenario;
    if (pinned?.name !== scenario.name || (scenario.version ?? pinned.version) !== pinned.version)
      return null;
    variants.push({ ...variant, scenario: pinned });
  }
  return definitionOf(input, variants);
}

/** Returns the versions of models that an experiment compares, each once; null stands for what serves. Empty if it compares none. */
export function modelsOf({ variants }: Pick<StoredDefinition, "variants">): (string | null)[] {
  const models = new Set(variants.map(({ model = null }) => model));
  return models.size === 1 && models.has(null) ? [] : [...models];
}

/** Returns an experiment as the API shows it. `now` is in seconds since the epoch. */
export function experimentOf(row: ExperimentRow, now: number): Experiment {
  const hasEnded = row.endsAt !== null && row.endsAt <= now;
  return {
    name: row.name,
    run: row.run,
    status: now < row.startsAt ? "scheduled" : hasEnded ? "ended" : "running",
    ...storedDefinition.parse(row.definition),
    startsAt: toInstant(row.startsAt),
    endsAt: row.endsAt === null ? null : toInstant(row.endsAt),
    createdAt: toInstant(row.createdAt),
  };
}
