import type { Account } from "../account/account.ts";
import {
  type DeploymentRecord,
  type RecordedChange,
  type Release,
  staleAfterSeconds,
} from "../account/deployment-record.ts";

/** What a rollback does to one worker. */
export interface RollbackStep {
  worker: string;
  /** Version that gets all requests again. */
  versionId: string;
}

/** A release that can be undone, and how, in this order. */
export interface Rollback {
  release: Release;
  steps: RollbackStep[];
}

/**
 * Returns how to undo the newest release that was not undone yet. Callers come before the workers that they call, so that
 * no new caller meets an old callee. `order` has the workers in the order of deployment. Throws if there is no such
 * release, or if it changed classes of Durable Objects.
 */
export async function planRollback(record: DeploymentRecord, order: readonly string[]): Promise<Rollback> {
  const release = (await record.releases()).find(({ status }) => status !== "rolled back");
  if (!release) throw new Error("There is no release to roll back.");
  const changes = await record.changes(release);
  const stays = changes.filter(({ change }) => change === "replaced" || change === "transferred");
  const shifted = changes.filter(({ change, before }) => change === "shifted" && before !== null);
  if (stays.length > 0)
    throw new Error(
      `${release.label} cannot be rolled back: it changed the Durable Objects of ${stays.map(({ worker }) => worker).join(", ")}, which Cloudflare does not undo. Deploy a corrected release instead.`,
    );
  if (shifted.length === 0)
    throw new Error(`${release.label} has no version before it: it was the first deployment.`);
  return {
    release,
    steps: [...shifted]
      .sort((a, b) => order.indexOf(b.worker) - order.indexOf(a.worker))
      .map(({ worker, before }: RecordedChange) => ({ worker, versionId: before as string })),
  };
}

/** Throws if another deployment runs, which would go on with what a rollback undoes. */
export async function checkNoneRuns(record: DeploymentRecord, now: number): Promise<void> {
  const running = (await record.releases()).find(
    ({ status, touchedAt }) => status === "running" && touchedAt > now - staleAfterSeconds,
  );
  if (running)
    throw new Error(
      `${running.label} is being deployed. End that command first, then give --take-over with --rollback.`,
    );
}

/** Gives all requests of each worker to its version of before. `onStep` gets the worker before its step. */
export async function rollBack(
  account: Account,
  record: DeploymentRecord,
  { release, steps }: Rollback,
  configOf: (worker: string) => string,
  onStep: (step: RollbackStep) => { done: () => void },
): Promise<void> {
  for (const step of steps) {
    const progress = onStep(step);
    await account.shift(
      configOf(step.worker),
      [{ versionId: step.versionId, percentage: 100 }],
      `roll back ${release.label}`.slice(0, 100),
    );
    progress.done();
  }
  await record.end(release, "rolled back");
}
