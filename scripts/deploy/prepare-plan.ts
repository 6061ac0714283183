import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import { citySeed } from "../databases/cities.ts";
import { type Account, NotLoggedInError } from "./account/account.ts";
import { type AccountState, emptyState, readAccountState } from "./account/account-state.ts";
import { resourcesOf } from "./account/resources.ts";
import { configuredWorkers } from "./configuration/configured-workers.ts";
import type { Environment } from "./configuration/environment.ts";
import { writeConfiguration } from "./configuration/worker-configuration.ts";
import { type Bundle, bundleWorker } from "./plan/bundle.ts";
import { makePlan, type Plan, type PlanInput, transfersTo } from "./plan/plan.ts";

/** Bundles that are made at once: each takes one processor core for some seconds. */
const concurrentBundles = 2;

/** A task that is shown on the terminal while it runs. */
export interface Task {
  update: (detail: string) => void;
  done: (detail?: string) => void;
}
/** Shows that a task begins. */
export type BeginTask = (name: string) => Task;

/** A plan, and what it was made from. */
export interface PreparedPlan extends PlanInput {
  plan: Plan;
  /** Whether the account could not be read, so that the plan is that of an empty one. */
  isAccountUnknown: boolean;
}

/** Reads the account, bundles all workers, and returns what a deployment would do. Changes nothing in the account. */
export async function preparePlan(
  account: Account,
  environment: Environment,
  begin: BeginTask,
  replacedSecrets: readonly string[] = [],
): Promise<PreparedPlan> {
  const drafts = configuredWorkers(environment);
  const resources = resourcesOf(drafts, environment);
  const reading = begin("Read the account");
  let isAccountUnknown = false;
  let state: AccountState = emptyState;
  try {
    state = await readAccountState(account, environment, drafts, resources, (done, total) =>
      reading.update(`${done} of ${total}`),
    );
    reading.done();
  } catch (error) {
    if (!(error instanceof NotLoggedInError)) throw error;
    isAccountUnknown = true;
    reading.done("wrangler is not logged in; this is the plan of an empty account");
  }
  const known = state;
  const workers = configuredWorkers(environment, known, (worker) =>
    transfersTo(worker, environment.suffix, known),
  );
  const bundling = begin("Bundle the workers");
  const bundles = new Map<string, Bundle>();
  await mapConcurrent(concurrentBundles, workers, async (worker) => {
    const file = writeConfiguration(worker, environment, worker.configuration);
    bundles.set(worker.name, await bundleWorker(account, worker, file));
    bundling.update(`${bundles.size} of ${workers.length}`);
  });
  bundling.done(`${workers.length} workers`);
  const { values, hash } = citySeed();
  const input: PlanInput = {
    environment,
    workers,
    resources,
    state,
    bundles,
    cities: { rows: values.length, hash },
    replacedSecrets,
  };
  return { ...input, plan: makePlan(input), isAccountUnknown };
}
