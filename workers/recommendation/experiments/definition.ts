import { type Experiment, type ExperimentInput, experiment } from "../../../shared/contracts/experiment.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { ExperimentRow } from "./experiment-store.ts";

/** The part of an experiment that its row holds as JSON: what the client defined, without the times. */
export const storedDefinition = experiment.omit({
  ...{ name: true, run: true, status: true, startsAt: true, endsAt: true, createdAt: true },
});

/** Returns the part of a definition that is stored as JSON. */
export function definitionOf({ startsAt: _, endsAt: __, ...definition }: ExperimentInput) {
  return storedDefinition.parse(definition);
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
