import { type AssignedExperiment, variantOfUser } from "../../../model/experiments/assignment.ts";
import { RefreshedSnapshots } from "../../../shared/cache/refreshed-snapshots.ts";
import type { VariantParameters } from "../../../shared/contracts/experiment.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { variantOf } from "../../../shared/experiments/variant.ts";
import { storedDefinition } from "./definition.ts";
import { type ExperimentRow, ExperimentStore } from "./experiment-store.ts";

/** An experiment as this isolate knows it. */
interface ActiveExperiment extends AssignedExperiment {
  parameters: ReadonlyMap<string, VariantParameters>;
  /** Seconds since the epoch. */
  startsAt: number;
  endsAt: number;
}

/** The experiments of applications that had not ended when they were read. */
const snapshots = new RefreshedSnapshots<readonly ActiveExperiment[]>({
  failure: "experiments not read",
  maxAgeMs: 5000,
  // Experiments of all applications: some kilobytes each.
  maxSize: 2000,
  sizeOf: ({ length }) => 1 + length,
});

/** Returns an experiment as the hot path needs it; null, which is logged, if another release wrote what this one does not know. */
function activeExperiment(row: ExperimentRow): ActiveExperiment | null {
  const parsed = storedDefinition.safeParse(row.definition);
  if (!parsed.success) {
    console.error({ event: "experiment not readable", run: row.run, error: errorText(parsed.error) });
    return null;
  }
  const { variants } = parsed.data;
  return {
    ...{ run: row.run, group: row.exclusionGroup, slotFrom: row.slotFrom, slotTo: row.slotTo, variants },
    parameters: new Map(variants.map(({ name, parameters }) => [name, parameters])),
    startsAt: row.startsAt,
    endsAt: row.endsAt ?? Number.POSITIVE_INFINITY,
  };
}

/** Returns the experiments in the database. If it fails, which is logged, those that this isolate knows. */
async function readExperiments(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
): Promise<readonly ActiveExperiment[]> {
  try {
    const rows = await new ExperimentStore(env.DB).notEnded(application, Date.now() / 1000);
    return rows.map(activeExperiment).filter((each) => each !== null);
  } catch (error) {
    console.error({ event: "experiments not read", application, error: errorText(error) });
    // Without a value, each of the next requests would wait for the failing database.
    return snapshots.known(application) ?? [];
  }
}

/** Reads the experiments of an application after a change, so that this isolate's next answers use it. */
export async function refreshExperiments(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
): Promise<void> {
  await snapshots.refresh(application, () => readExperiments(env, application));
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
  const experiments = await snapshots.get(application, () => readExperiments(env, application), waitUntil);
  let changed = input;
  const variants: string[] = [];
  for (const each of experiments) {
    if (now < each.startsAt || now >= each.endsAt) continue;
    const arm = variantOfUser(application, input.userId, each);
    if (arm === null) continue;
    variants.push(variantOf({ experiment: each.run, arm }));
    changed = { ...changed, ...each.parameters.get(arm) };
  }
  return { input: changed, variants };
}
