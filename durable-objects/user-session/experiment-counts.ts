import type { ExperimentCounts } from "../../shared/contracts/queues.ts";
import type { RecommendationReceipt } from "../../shared/contracts/recommendation.ts";
import { participationOf } from "../../shared/experiments/variant.ts";
import type { SessionStore } from "./store.ts";

/** What makes a recommendation a success: that something shown was wanted. Looking at it, or at all, is none. */
const successes: ReadonlySet<string> = new Set(["click", "cart", "purchase"]);

/**
 * The person's counts in an experiment after the window of an impression has closed, and the id of their row in the journal;
 * null where the impression is of none. Within the transaction that closes the window, so each impression counts once,
 * whatever is sent twice; what leaves is absolute, so that the largest is the newest.
 */
export function countsAfter(
  store: Pick<SessionStore, "get" | "set">,
  { variant }: Pick<RecommendationReceipt, "variant">,
  outcomes: readonly { type: string }[],
  now: number,
): { id: string; counts: ExperimentCounts } | null {
  const participation = participationOf(variant);
  if (!participation) return null;
  const name = `counts:${variant}`;
  const before: { exposures: number; successes: number } = JSON.parse(
    store.get(name) ?? '{"exposures":0,"successes":0}',
  );
  const counts = {
    exposures: before.exposures + 1,
    successes: before.successes + (outcomes.some(({ type }) => successes.has(type)) ? 1 : 0),
  };
  store.set(name, JSON.stringify({ ...counts, at: now }));
  return { id: `${name}:${counts.exposures}`, counts: { ...participation, ...counts } };
}
