import { hash53 } from "../../model/columns/hash.ts";
import { packedRowBytes, packedRows } from "../../model/features/packed.ts";
import type { EventType } from "../../shared/contracts/event.ts";
import type { Impression } from "../../shared/contracts/impression.ts";
import type { TrainingExample } from "../../shared/contracts/queues.ts";

/** Of the impressions that nothing came of, this share is kept, weighted by its inverse. */
export const silentShare = 0.25;

/** The strongest outcome of several. A dismissal outweighs looking, not buying. */
const strength: Record<EventType, number> = { view: 1, click: 2, dismiss: 3, cart: 4, purchase: 5 };

/** An example must fit into a message of a queue, which holds 128,000 bytes. */
const exampleBytes = 90_000;

type Row = TrainingExample["rows"][number];

/** Characters of bytes in base64. */
const inBase64 = (bytes: number): number => 4 * Math.ceil(bytes / 3);

function base64(bytes: Uint8Array): string {
  let text = "";
  // A call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

/**
 * As many rows as fit, in their order: first those of which something came, then what was not shown, then what was shown,
 * the best positions first. Only of very long lists is anything left out, which is their end.
 */
function fitting(rows: readonly Row[], features: Uint8Array): Pick<TrainingExample, "rows" | "features"> {
  const each = packedRowBytes(features);
  const rank = ({ outcome, position }: Row): number => (outcome === null ? position : -1);
  const order = rows.map((_, i) => i).sort((a, b) => rank(rows[a]) - rank(rows[b]));
  let bytes = inBase64(features.byteLength - rows.length * each);
  let count = 0;
  for (const i of order) {
    bytes += JSON.stringify(rows[i]).length + 1 + inBase64(each);
    if (bytes > exampleBytes) break;
    count++;
  }
  const kept = order.slice(0, count).sort((a, b) => a - b);
  const part = count < rows.length ? packedRows(features, kept) : null;
  return part === null
    ? { rows: [...rows], features: base64(features) }
    : { rows: kept.map((i) => rows[i]), features: base64(part) };
}

/** The example of an impression whose click window has closed; null where nothing came of it and it is not kept. */
export function exampleOf(
  { receipt, featureHash, rows, features }: Impression,
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
    country: receipt.location.country,
    weight: strongest.size > 0 ? 1 : 1 / silentShare,
    candidates: receipt.candidates,
    ...fitting(
      rows.map((row) => ({ ...row, outcome: strongest.get(row.productId) ?? null })),
      features,
    ),
  };
}
