import { hash53 } from "../../model/columns/hash.ts";
import type { EventType } from "../../workers/shared/contracts/event.ts";
import type { Impression } from "../../workers/shared/contracts/impression.ts";
import type { TrainingExample } from "../../workers/shared/contracts/queues.ts";

/** Of the impressions that nothing came of, this share is kept, weighted by its inverse. */
export const silentShare = 0.25;

/** The strongest outcome of several. A dismissal outweighs looking, not buying. */
const strength: Record<EventType, number> = { view: 1, click: 2, dismiss: 3, cart: 4, purchase: 5 };

/** An example must fit into a message of a queue, which holds 128,000 bytes. */
const exampleBytes = 90_000;

/**
 * As many rows as fit, in their order: first those of which something came, then what was not shown, then what was shown,
 * the best positions first. Only of very long lists is anything left out, which is their end.
 */
function fitting(rows: TrainingExample["rows"]): TrainingExample["rows"] {
  const rank = ({ outcome, position }: TrainingExample["rows"][number]): number =>
    outcome === null ? position : -1;
  const kept = new Set<TrainingExample["rows"][number]>();
  let bytes = 0;
  for (const row of [...rows].sort((a, b) => rank(a) - rank(b))) {
    bytes += JSON.stringify(row).length + 1;
    if (bytes > exampleBytes) break;
    kept.add(row);
  }
  return rows.filter((row) => kept.has(row));
}

/** The example of an impression whose click window has closed; null where nothing came of it and it is not kept. */
export function exampleOf(
  { receipt, featureHash, rows }: Impression,
  outcomes: readonly { product: string; type: string }[],
): TrainingExample | null {
  const strongest = new Map<string, EventType>();
  for (const { product, type } of outcomes) {
    const known = strongest.get(product);
    if (!known || strength[type as EventType] > strength[known]) strongest.set(product, type as EventType);
  }
  // The id is random: its hash draws the sample, and draws it again the same after a crash.
  const kept = strongest.size > 0 || (hash53(receipt.recommendationId) % 1000) / 1000 < silentShare;
  if (!kept) return null;
  return {
    recommendationId: receipt.recommendationId,
    time: Date.parse(receipt.time) / 1000,
    modelVersion: receipt.model.version,
    featureHash,
    variant: receipt.variant,
    weight: strongest.size > 0 ? 1 : 1 / silentShare,
    candidates: receipt.candidates,
    rows: fitting(rows.map((row) => ({ ...row, outcome: strongest.get(row.productId) ?? null }))),
  };
}
