import type { Account, VersionShare } from "../account/account.ts";

/** What moves requests from one version of a worker to another. */
export interface Shift {
  /** File of the worker's configuration. */
  config: string;
  /** Version that keeps the other requests; null if there is none, so that the new version gets all at once. */
  from: string | null;
  to: string;
  steps: readonly number[];
  message: string;
}

/** What happens after each step. Throws if the new version does not work. */
export type WatchStep = (percentage: number) => Promise<void>;

const shares = ({ from, to }: Shift, percentage: number): VersionShare[] =>
  from === null || percentage === 100
    ? [{ versionId: to, percentage: 100 }]
    : [
        { versionId: from, percentage: 100 - percentage },
        { versionId: to, percentage },
      ];

/**
 * Moves requests to a version step by step, and watches each. If the version does not work, gives all requests back to
 * the version of before, then throws what the watch threw.
 */
export async function shiftWorker(account: Account, shift: Shift, watch: WatchStep): Promise<void> {
  for (const percentage of shift.steps) {
    await account.shift(shift.config, shares(shift, percentage), shift.message);
    try {
      await watch(percentage);
    } catch (error) {
      if (shift.from !== null)
        await account.shift(
          shift.config,
          [{ versionId: shift.from, percentage: 100 }],
          `back, since a test failed at ${percentage}%`,
        );
      throw error;
    }
  }
}

/** Returns the version that worked before a deployment: the one with most requests that is not the new one. */
export const versionBefore = (current: readonly VersionShare[], next: string | null): string | null =>
  [...current].sort((a, b) => b.percentage - a.percentage).find(({ versionId }) => versionId !== next)
    ?.versionId ?? null;
