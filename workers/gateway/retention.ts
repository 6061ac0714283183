import type { Result } from "../../shared/contracts/result.ts";
import type { RemovedCounts, Retention } from "../../shared/contracts/retention.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import type { Services } from "./services.ts";
import type { Store } from "./store.ts";

/** Steps of one night at most: what is left over goes with the next. */
const maxSteps = 20;

type Kind = keyof Retention;

const isRemoval = (entry: [string, number | undefined]): entry is [Kind, number] => (entry[1] ?? 0) > 0;

/**
 * Removes everywhere what has outlived its time, step by step until a worker has nothing left. Answers what was removed by
 * kind; a worker that fails keeps the others from nothing, and is named in `failed`. `now` in seconds.
 */
export async function retain(
  services: Pick<Services, "recommendation" | "user" | "product" | "trainer">,
  store: Pick<Store, "removeExpired">,
  retention: Retention,
  now: number,
): Promise<{ removed: RemovedCounts; failed: string[] }> {
  const removed: RemovedCounts = {};
  const failed: string[] = [];
  const add = (some: RemovedCounts): number => {
    let count = 0;
    for (const [kind, more] of Object.entries(some).filter(isRemoval)) {
      removed[kind] = (removed[kind] ?? 0) + more;
      count += more;
    }
    return count;
  };
  const emptied = async (name: string, step: () => Promise<Result<RemovedCounts>>): Promise<void> => {
    try {
      for (let i = 0; i < maxSteps; i++) {
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
    emptied("gateway", async () => ({ ok: true, value: await store.removeExpired(retention, now) })),
    emptied("recommendation", () => recommendation.retain(retention)),
    emptied("user", () => user.retain(retention)),
    emptied("product", () => product.retain(retention)),
    emptied("trainer", () => trainer.retain(retention)),
  ]);
  return { removed, failed };
}
