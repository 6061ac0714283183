import { type AssignedExperiment, variantOfUser } from "../../../model/experiments/assignment.ts";
import { type VariantParameters, variantParameters } from "../../../shared/contracts/experiment.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { variantOf } from "../../../shared/experiments/variant.ts";
import { storedDefinition } from "./definition.ts";
import { ExperimentStore } from "./experiment-store.ts";

/** Age at which the experiments of an application are read again after a response, in milliseconds. */
const maxAgeMs = 5000;

/** An experiment as this isolate knows it. */
interface ActiveExperiment extends AssignedExperiment {
  parameters: ReadonlyMap<string, VariantParameters>;
  /** Seconds since the epoch. */
  startsAt: number;
  endsAt: number;
}

/** The experiments of an application that had not ended when they were read. */
interface Snapshot {
  experiments: readonly ActiveExperiment[];
  /** Number of the read. Reads are numbered in the order in which they start. */
  readNumber: number;
  /** When the last read started, in milliseconds since the epoch. */
  readAt: number;
}

let readCount = 0;

/** Snapshots by application. */
const snapshots = new Map<string, Snapshot>();

/**
 * Reads the experiments of an application, so that this isolate's next answers use them. Logs a failure: then the
 * experiments stay as they were.
 */
export async function refreshExperiments(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
): Promise<void> {
  const readNumber = ++readCount;
  const readAt = Date.now();
  try {
    const rows = await new ExperimentStore(env.DB).notEnded(application, readAt / 1000);
    // A slow read must undo nothing of a read that started later.
    if ((snapshots.get(application)?.readNumber ?? 0) > readNumber) return;
    const experiments = rows.map((row): ActiveExperiment => {
      const { variants } = storedDefinition.parse(row.definition);
      return {
        ...{ run: row.run, group: row.exclusionGroup, slotFrom: row.slotFrom, slotTo: row.slotTo, variants },
        parameters: new Map(
          variants.map(({ name, parameters }) => [name, variantParameters.parse(parameters)]),
        ),
        startsAt: row.startsAt,
        endsAt: row.endsAt ?? Number.POSITIVE_INFINITY,
      };
    });
    snapshots.set(application, { experiments, readNumber, readAt });
  } catch (error) {
    console.error({ event: "experiments not read", application, error: errorText(error) });
    // Without a snapshot, each of the next requests would wait for the failing database.
    const { experiments = [], readNumber: known = 0 } = snapshots.get(application) ?? {};
    snapshots.set(application, { experiments, readNumber: known, readAt });
  }
}

/** A request with the parameters of the user's variants, and the variants as the receipt names them. */
export interface ExperimentRequest {
  input: RecommendationInput;
  variants: string[];
}

/**
 * Returns a request as the user's variants change it. Only the first request of an isolate for an application waits for
 * the database; later ones use what the isolate knows, at most a few seconds old. `now` is in seconds since the epoch.
 */
export async function requestInExperiments(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
  input: RecommendationInput,
  now: number,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<ExperimentRequest> {
  const known = snapshots.get(application);
  if (!known) await refreshExperiments(env, application);
  else if (Date.now() - known.readAt > maxAgeMs) {
    // Other requests must not start a read while this one runs.
    known.readAt = Date.now();
    waitUntil(refreshExperiments(env, application));
  }
  let changed = input;
  const variants: string[] = [];
  for (const each of snapshots.get(application)?.experiments ?? []) {
    if (now < each.startsAt || now >= each.endsAt) continue;
    const arm = variantOfUser(application, input.userId, each);
    if (arm === null) continue;
    variants.push(variantOf({ experiment: each.run, arm }));
    changed = { ...changed, ...each.parameters.get(arm) };
  }
  return { input: changed, variants };
}
