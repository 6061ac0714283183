import * as z from "zod";
import { type EventType, eventType } from "../../shared/contracts/event.ts";
import { trainingCorrection, trainingExample } from "../../shared/contracts/queues.ts";
import { hash53 } from "../columns/hash.ts";
import { type Examination, examinedAt } from "../examination/examination.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { selectPackedRows, unpackFeatures } from "../features/pack-features.ts";
import type { PausableWork } from "../pausable-work.ts";

/** Rows kept per list. Training does not pause within a list, so the bound keeps the time between two pauses short. */
const maxRows = 32;

/** An example of the training log, without its features, in the format of a snapshot shard. */
export const loggedExample = z.object({
  /** Hash of the recommendation's name in the log. Clients know no name, so none can make two hashes collide. */
  id: z.number().int(),
  /** Seconds since the epoch. */
  time: z.number(),
  /** The first 16 characters of the user's name in the log: enough to distinguish users. */
  pseudonym: z.string(),
  country: z.string().nullable(),
  modelVersion: z.string(),
  variant: z.string(),
  weight: z.number().positive(),
  candidates: z.number().int(),
  /** Temperature by which the order of the list was drawn; absent if the list has the order of its ranking. */
  rankTemperature: z.number().positive().optional(),
  rows: z.array(
    z.object({
      /** Hash of the product's id. */
      product: z.number().int(),
      category: z.string().nullable(),
      position: z.number().int(),
      propensity: z.number(),
      score: z.number(),
      outcome: eventType.nullable(),
      rank: z.number().int().optional(),
      listScore: z.number().optional(),
      squares: z.array(z.number()).optional(),
      /** Number of shown products that the row stands for, if not all of a long list are kept; 1 if absent. */
      represents: z.number().min(1).optional(),
    }),
  ),
});
/** An example with its packed features. */
export type LoggedExample = z.infer<typeof loggedExample> & { features: Uint8Array };

/** An outcome that came after the example was written to the log. */
export interface LoggedCorrection {
  /** Hash of the recommendation's name in the log. */
  id: number;
  /** Hash of the product's id. */
  product: number;
  outcome: EventType;
}

/** The log names a recommendation by a keyed hash of its id. */
const logNames = { recommendationId: true } as const;
const exampleLine = trainingExample
  .omit(logNames)
  .extend({ kind: z.literal("example"), pseudonym: z.string(), recommendation: z.string() });
const correctionLine = trainingCorrection
  .omit(logNames)
  .extend({ kind: z.literal("correction"), recommendation: z.string() });

/** Computed features lie within about -5 to 5: a line with a much larger value is damaged. */
const maxAbsFeature = 64;

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** A parsed line of the training log. */
export type LoggedLine =
  | { kind: "example"; example: LoggedExample }
  | { kind: "correction"; correction: LoggedCorrection }
  /** An example with the features of another version of the code. */
  | { kind: "incompatible" }
  /** A line that does not match the documented format. */
  | { kind: "damaged" }
  /** A line that training does not use. */
  | { kind: "other" };

const lineKind = z.object({ kind: z.string() });

/** Validates and returns a line of the training log. An example keeps at most `rowLimit` rows, those that tell most. */
export function readLine(shape: FeatureShape, line: unknown, rowLimit = maxRows): LoggedLine {
  const kind = lineKind.safeParse(line).data?.kind;
  if (kind === "interaction") return { kind: "other" };
  if (kind === "correction") {
    const parsed = correctionLine.safeParse(line);
    if (!parsed.success) return { kind: "damaged" };
    const { recommendation, productId, outcome } = parsed.data;
    return {
      kind,
      correction: { id: hash53(recommendation), product: hash53(productId), outcome },
    };
  }
  const parsed = exampleLine.safeParse(line);
  if (!parsed.success) return { kind: "damaged" };
  const { recommendation, featureHash, features, rows, pseudonym, ...rest } = parsed.data;
  if (featureHash !== shape.hash) return { kind: "incompatible" };
  const packed = bytesOf(features);
  const batch = unpackFeatures(shape, packed);
  const plausible = (value: number): boolean => Math.abs(value) <= maxAbsFeature;
  if (batch?.count !== rows.length || rows.length === 0 || !batch.dense.every(plausible))
    return { kind: "damaged" };
  const kept = keptRows(rows, rowLimit, (row) => hash53(`${recommendation} ${row.productId}`));
  const part = selectPackedRows(
    packed,
    kept.map(({ index }) => index),
  );
  if (part === null) return { kind: "damaged" };
  return {
    kind: "example",
    example: {
      id: hash53(recommendation),
      time: rest.time,
      pseudonym: pseudonym.slice(0, 16),
      country: rest.country,
      modelVersion: rest.modelVersion,
      variant: rest.variant,
      weight: rest.weight,
      candidates: rest.candidates,
      ...(rest.rankTemperature === undefined ? {} : { rankTemperature: rest.rankTemperature }),
      rows: kept.map(({ index, represents }) => {
        const { productId, ...row } = rows[index];
        return { product: hash53(productId), ...row, ...(represents > 1 ? { represents } : {}) };
      }),
      features: part,
    },
  };
}

/** Returns whether the policy might have shown a row that it did not show. */
const isContender = ({ position, rank = 0 }: { position: number; rank?: number }): boolean =>
  position === 0 && rank > 0;

/** Rows without an outcome that a list keeps at least, if it has as many. */
const minSilentRows = 8;

/**
 * Returns the indices of at most `limit` rows, in ascending order, and how many shown rows each stands for. The sampled
 * rows come first, then shown ones: those with an outcome, and a uniform sample of the others, in the order of `drawOf`.
 * Since each kept row stands for its share of the cut ones, a long list says the true rate of outcomes. Contenders take
 * what is left.
 */
function keptRows<R extends { position: number; rank?: number; outcome: EventType | null }>(
  rows: readonly R[],
  limit: number,
  drawOf: (row: R) => number,
): { index: number; represents: number }[] {
  const all = rows.map((row, index) => ({ row, index }));
  const sampled = all.filter(({ row }) => isSampled(row)).slice(0, limit);
  const shown = all.filter(({ row }) => row.position > 0);
  const silent = shown.filter(({ row }) => row.outcome === null);
  const chosen = shown.filter(({ row }) => row.outcome !== null);
  let left = limit - sampled.length;
  const sample = (stratum: typeof shown, most: number): { index: number; represents: number }[] => {
    const count = Math.max(0, Math.min(stratum.length, most));
    left -= count;
    const drawn =
      count === stratum.length
        ? stratum
        : [...stratum].sort((a, b) => drawOf(a.row) - drawOf(b.row)).slice(0, count);
    return drawn.map(({ index }) => ({ index, represents: stratum.length / count }));
  };
  const kept = [
    ...sampled.map(({ index }) => ({ index, represents: 1 })),
    ...sample(chosen, left - Math.min(silent.length, minSilentRows)),
    ...sample(silent, left),
  ];
  const contenders = all.filter(({ row }) => isContender(row)).slice(0, left);
  kept.push(...contenders.map(({ index }) => ({ index, represents: 1 })));
  return kept.sort((a, b) => a.index - b.index);
}

/**
 * Strength by outcome: of two outcomes the stronger one counts. A dismissal outweighs a view or click, not a cart or
 * purchase.
 */
const outcomeStrength: Record<EventType, number> = { view: 1, click: 2, dismiss: 3, cart: 4, purchase: 5 };

/** Returns the corrections as numbers, three each: id, product, index of the outcome among the event types. */
export const encodeCorrections = (corrections: readonly LoggedCorrection[]): Float64Array<ArrayBuffer> =>
  Float64Array.from(
    corrections.flatMap(({ id, product, outcome }) => [id, product, eventType.options.indexOf(outcome)]),
  );

/** Corrections decoded between two pauses: about 1 ms of CPU time. */
const correctionsPerPause = 2048;

/** Returns the corrections that {@link encodeCorrections} encoded, with pauses. */
export function* decodeCorrectionsPausable(numbers: Float64Array): PausableWork<Corrections> {
  const all = new Corrections();
  for (let at = 0; at + 3 <= numbers.length; at += 3) {
    if ((at / 3) % correctionsPerPause === 0) yield;
    all.add({ id: numbers[at], product: numbers[at + 1], outcome: eventType.options[numbers[at + 2]] });
  }
  return all;
}

/** The strongest correction of each recommended product, so that a repeated correction counts once. */
export class Corrections {
  readonly #outcomes = new Map<number, Map<number, EventType>>();

  add({ id, product, outcome }: LoggedCorrection): void {
    const products = this.#outcomes.get(id) ?? new Map<number, EventType>();
    this.#outcomes.set(id, products);
    const strongest = products.get(product);
    if (!strongest || outcomeStrength[outcome] > outcomeStrength[strongest]) products.set(product, outcome);
  }

  /** Returns the stronger of a row's logged outcome and its correction. `id` and `product` are hashes. */
  outcomeOf(id: number, product: number, outcome: EventType | null): EventType | null {
    const corrected = this.#outcomes.get(id)?.get(product);
    if (!corrected) return outcome;
    return outcome === null || outcomeStrength[corrected] > outcomeStrength[outcome] ? corrected : outcome;
  }

  get size(): number {
    return this.#outcomes.size;
  }
}

/** Returns whether an outcome is an engagement: any event but a dismissal. */
export const isEngagement = (outcome: EventType | null): boolean => outcome !== null && outcome !== "dismiss";

/** Returns whether a row is one of the sample of the candidates that no list could show. */
export const isSampled = ({ position, rank = 0 }: { position: number; rank?: number }): boolean =>
  position === 0 && rank === 0;

/** Returns the number of shown products that a row stands for. */
const shownBy = ({ represents = 1 }: { represents?: number }): number => represents;

/** Returns the number of ranked candidates that each sampled row of an example represents, at least 1. */
export function candidatesPerSampledRow({
  rows,
  candidates,
}: Pick<LoggedExample, "rows" | "candidates">): number {
  const sampled = rows.filter(isSampled).length;
  const others = rows.reduce((sum, row) => sum + (isSampled(row) ? 0 : shownBy(row)), 0);
  return Math.max(1, (candidates - others) / Math.max(1, sampled));
}

/** How a recalibration reads outcomes; the defaults take a list as if its user had looked at all of it. */
export interface OutcomeReading {
  /**
   * Weight (0 to 1) of a logged candidate that was not shown, relative to one that was: its user did not refuse it. 1 counts
   * it as one product, however many candidates it stands for.
   */
  unshownWeight: number;
  /** How often users look at positions. */
  examination?: Pick<Examination, "examined">;
}

/** Returns the training list of an example; null if its features do not have this shape. */
export function trainingListOf(
  shape: FeatureShape,
  example: LoggedExample,
  corrections: Corrections,
  { unshownWeight, examination }: OutcomeReading = { unshownWeight: 1 },
): TrainingList | null {
  const batch = unpackFeatures(shape, example.features);
  if (batch === null) return null;
  const { rows } = example;
  const outcomes = rows.map(({ product, outcome }) => corrections.outcomeOf(example.id, product, outcome));
  return {
    batch,
    engage: Float32Array.from(outcomes, (outcome) => (isEngagement(outcome) ? 1 : 0)),
    purchase: Float32Array.from(outcomes, (outcome) => (outcome === "purchase" ? 1 : 0)),
    candidatesRepresented: Float32Array.from(rows, (row) =>
      row.position > 0 ? shownBy(row) : unshownWeight,
    ),
    pointwiseWeights: Float32Array.from(rows, (row) => (row.position > 0 ? shownBy(row) : 0)),
    ...(examination
      ? {
          examined: Float32Array.from(rows, ({ position }) =>
            position > 0 ? examinedAt(examination, position) : 1,
          ),
        }
      : {}),
    weight: example.weight,
  };
}
