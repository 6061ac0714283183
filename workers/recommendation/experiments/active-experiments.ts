import { type AssignedExperiment, variantOfUser } from "../../../model/experiments/assignment.ts";
import { RefreshedSnapshots } from "../../../shared/cache/refreshed-snapshots.ts";
import type { ExperimentVariant, VariantParameters } from "../../../shared/contracts/experiment.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import type { ScenarioSettings } from "../../../shared/contracts/scenario.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { variantOf } from "../../../shared/experiments/variant.ts";
import {
  type ComparedModels,
  hasModels,
  rankersOfVariant,
  type ServingRankers,
} from "../models/serving-rankers.ts";
import { modelsOf, storedDefinition } from "./definition.ts";
import { type ExperimentRow, ExperimentStore } from "./experiment-store.ts";

/** An experiment as this isolate knows it. */
interface ActiveExperiment extends AssignedExperiment {
  variants: readonly ExperimentVariant[];
  /** The scenario of the requests that take part; undefined if all do. */
  scenario: string | undefined;
  /** The models that it compares, see {@link modelsOf}. */
  models: ComparedModels["all"];
  /** Whether its variants differ by their models alone. */
  comparesModelsOnly: boolean;
  /** Seconds since the epoch. */
  startsAt: number;
  endsAt: number;
}

/** The experiments of applications that had not ended when they were read. */
const snapshots = new RefreshedSnapshots<{ experiments: readonly ActiveExperiment[]; length: number }>({
  failure: "experiments not read",
  maxAgeMs: 5000,
  // UTF-16 code units of the stored JSON. An experiment with six scenarios has 50,000 at most.
  maxSize: 4_000_000,
  sizeOf: ({ length }) => length,
});

/** Returns an experiment as the hot path needs it; null, which is logged, if another release wrote what this one does not know. */
function activeExperiment(row: ExperimentRow): ActiveExperiment | null {
  const parsed = storedDefinition.safeParse(row.definition);
  if (!parsed.success) {
    console.error({ event: "experiment not readable", run: row.run, error: errorText(parsed.error) });
    return null;
  }
  const { variants, scenario } = parsed.data;
  return {
    ...{ run: row.run, group: row.exclusionGroup, slotFrom: row.slotFrom, slotTo: row.slotTo },
    ...{ variants, scenario, models: modelsOf(parsed.data) },
    comparesModelsOnly: variants.every((each) => !each.scenario && Object.keys(each.parameters).length === 0),
    startsAt: row.startsAt,
    endsAt: row.endsAt ?? Number.POSITIVE_INFINITY,
  };
}

/** Returns the experiments in the database. If it fails, which is logged, those that this isolate knows. */
async function readExperiments(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
): Promise<{ experiments: readonly ActiveExperiment[]; length: number }> {
  try {
    const rows = await new ExperimentStore(env.DB).notEnded(application, Date.now() / 1000);
    return {
      experiments: rows.map(activeExperiment).filter((each) => each !== null),
      length: rows.reduce((sum, { definition }) => sum + JSON.stringify(definition).length, 64),
    };
  } catch (error) {
    console.error({ event: "experiments not read", application, error: errorText(error) });
    // Without a value, each of the next requests would wait for the failing database.
    return snapshots.known(application) ?? { experiments: [], length: 64 };
  }
}

/** Reads the experiments of an application after a change, so that this isolate's next answers use it. */
export async function refreshExperiments(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
): Promise<void> {
  await snapshots.refresh(application, () => readExperiments(env, application));
}

/** What the variants of a user change in a request. */
export interface AssignedVariants {
  /** The variants as receipts name them. Those that differ by their models alone count only if a model ranks. */
  variants: { name: string; needsModel: boolean }[];
  /** The settings of the scenario that serves instead of the one that the request names; null if it is that one. */
  scenario: ScenarioSettings | null;
  /** They replace fields of the request. */
  parameters: VariantParameters;
  /** The rankers of the user; null if no experiment compares models. */
  rankers: ServingRankers | null;
  /** Why an experiment does not count the answer. */
  skipped?: string;
}

/**
 * Returns what the variants of a request's user change in it. Only the first request of an isolate for an application waits
 * for the database; later ones use what the isolate knows, at most a few seconds old. `serving` are the rankers without
 * experiments; experiments that compare models wait for them. `now` is in seconds since the epoch.
 */
export async function variantsOfRequest(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
  { userId, scenario }: Pick<RecommendationInput, "userId" | "scenario">,
  serving: Promise<ServingRankers>,
  now: number,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<AssignedVariants> {
  const { experiments } = await snapshots.get(
    application,
    () => readExperiments(env, application),
    waitUntil,
  );
  const assigned: AssignedVariants = { variants: [], scenario: null, parameters: {}, rankers: null };
  for (const each of experiments) {
    if (now < each.startsAt || now >= each.endsAt) continue;
    if (each.scenario !== undefined && each.scenario !== scenario) continue;
    const arm = variantOfUser(application, userId, each);
    const variant = each.variants.find(({ name }) => name === arm);
    if (!variant) continue;
    const { models } = each;
    if (models.length > 0) {
      const rankers = await serving;
      if (!hasModels(rankers, { all: models })) {
        assigned.skipped = `${each.run}: this isolate lacks one of its models`;
        continue;
      }
      assigned.rankers = rankersOfVariant(rankers, { all: models, own: variant.model ?? null });
    }
    assigned.variants.push({
      name: variantOf({ experiment: each.run, arm: variant.name }),
      needsModel: models.length > 0 && each.comparesModelsOnly,
    });
    assigned.scenario = variant.scenario?.settings ?? assigned.scenario;
    Object.assign(assigned.parameters, variant.parameters);
  }
  return assigned;
}
