import { hash53 } from "../../../model/columns/hash.ts";
import { packedRowBytes, selectPackedRows } from "../../../model/features/pack-features.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import type { TrainingExample } from "../../../shared/contracts/queues.ts";
import { strongestOutcomes } from "./strongest-outcomes.ts";

/**
 * Share of the impressions without an outcome that become training examples. Each is weighted by the inverse of the
 * share.
 */
export const noOutcomeSampleRate = 0.25;

/** Maximum size of an example, in bytes: a queue message holds at most 128,000. */
const maxExampleBytes = 90_000;

/** Products that a list has at most. */
const maxListLength = 100;

type Row = TrainingExample["rows"][number];

/** Returns the length of the base64 text of a number of bytes. */
const base64Length = (bytes: number): number => 4 * Math.ceil(bytes / 3);

/** Bytes per call of `String.fromCharCode`: an engine limits the number of arguments. */
const bytesPerCall = 4096;

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += bytesPerCall)
    text += String.fromCharCode(...bytes.subarray(at, at + bytesPerCall));
  return btoa(text);
}

/**
 * Returns as many rows as fit into {@link maxExampleBytes}, in the given order. Rows with an outcome take precedence,
 * then sampled rows, then shown rows by position, then rows that might have been shown. Only very long lists lose rows,
 * from their end.
 */
function rowsThatFit(rows: readonly Row[], features: Uint8Array): Pick<TrainingExample, "rows" | "features"> {
  const rowBytes = packedRowBytes(features);
  const precedence = ({ outcome, position, rank = 0 }: Row): number =>
    outcome !== null ? -1 : position === 0 && rank > 0 ? maxListLength + rank : position;
  const order = rows.map((_, i) => i).sort((a, b) => precedence(rows[a]) - precedence(rows[b]));
  let bytes = base64Length(features.byteLength - rows.length * rowBytes);
  let count = 0;
  for (const i of order) {
    bytes += JSON.stringify(rows[i]).length + 1 + base64Length(rowBytes);
    if (bytes > maxExampleBytes) break;
    count++;
  }
  const kept = order.slice(0, count).sort((a, b) => a - b);
  const keptFeatures = count < rows.length ? selectPackedRows(features, kept) : null;
  return keptFeatures === null
    ? { rows: [...rows], features: toBase64(features) }
    : { rows: kept.map((i) => rows[i]), features: toBase64(keptFeatures) };
}

/**
 * Returns the training example of an impression whose click window has closed; null if it has no outcome and is not
 * sampled. `settingsVersion` is that of the user's profile.
 */
export function trainingExampleOf(
  { receipt, featureHash, rankTemperature, rows, features }: Impression,
  outcomes: readonly { product: string; type: string }[],
  settingsVersion: number,
): TrainingExample | null {
  const strongest = strongestOutcomes(outcomes);
  // The hash of the random id decides the sample, so that the decision is the same after a crash.
  const isSampled =
    strongest.size > 0 || (hash53(receipt.recommendationId) % 1000) / 1000 < noOutcomeSampleRate;
  if (!isSampled) return null;
  return {
    recommendationId: receipt.recommendationId,
    time: Date.parse(receipt.time) / 1000,
    modelVersion: receipt.model.version,
    featureHash,
    variant: receipt.variant,
    country: receipt.location.country,
    weight: strongest.size > 0 ? 1 : 1 / noOutcomeSampleRate,
    candidates: receipt.candidates,
    ...(rankTemperature === undefined ? {} : { rankTemperature }),
    consent: {
      precision: receipt.location.source === "none" ? "none" : receipt.location.precision,
      version: settingsVersion,
    },
    ...rowsThatFit(
      rows.map((row) => ({ ...row, outcome: strongest.get(row.productId) ?? null })),
      features,
    ),
  };
}
