import { type ApplicationsShare, allApplications } from "../../../shared/contracts/applications-share.ts";
import type { Result } from "../../../shared/contracts/result.ts";
import type { RemovedCounts, Retention } from "../../../shared/contracts/retention.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { GatewayServices } from "../services.ts";
import type { GatewayStore } from "../store.ts";

/**
 * Maximum number of steps of one worker in one run. The next run removes the remaining data. A request may call other
 * workers 32 times: four of them remove data, and recalibrations start after that.
 */
const maxStepsPerRun = 7;

type RetainedKind = keyof Retention;

const isRemoval = (entry: [string, number | undefined]): entry is [RetainedKind, number] =>
  (entry[1] ?? 0) > 0;

/**
 * Removes data whose retention time is over from every worker, step by step until a worker has none left. Returns how
 * many records of each kind were removed. `failed` names each worker that failed and why; the others run on. `now` is
 * in seconds since the Unix epoch. Objects of buckets are removed of the applications of `share` only.
 */
export async function enforceRetention(
  services: Pick<GatewayServices, "recommendation" | "user" | "product" | "trainer">,
  store: Pick<GatewayStore, "removeExpired">,
  retention: Retention,
  now: number,
  share: ApplicationsShare = allApplications,
): Promise<{ removed: RemovedCounts; failed: string[] }> {
  const removed: RemovedCounts = {};
  const failed: string[] = [];
  const add = (counts: RemovedCounts): number => {
    let sum = 0;
    for (const [kind, count] of Object.entries(counts).filter(isRemoval)) {
      removed[kind] = (removed[kind] ?? 0) + count;
      sum += count;
    }
    return sum;
  };
  const removeAll = async (name: string, step: () => Promise<Result<RemovedCounts>>): Promise<void> => {
    try {
      for (let i = 0; i < maxStepsPerRun; i++) {
        const result = await step();
        if (!result.ok) throw new Error(result.error.detail);
        if (add(result.value) === 0) return;
      }
    } catch (error) {
      failed.push(`${name}: ${errorText(error)}`);
    }
  };
  const { recommendation, user, product, trainer } = services;
  await Promise.all([
    removeAll("gateway", async () => ({ ok: true, value: await store.removeExpired(retention, now) })),
    removeAll("recommendation", () => recommendation.applyRetention(retention, share)),
    removeAll("user", () => user.applyRetention(retention, share)),
    removeAll("product", () => product.applyRetention(retention, share)),
    removeAll("trainer", () => trainer.applyRetention(retention, share)),
  ]);
  return { removed, failed };
}
