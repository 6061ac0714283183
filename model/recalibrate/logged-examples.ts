import { z } from "zod";
import { type EventType, eventType } from "../../shared/contracts/event.ts";
import { trainingCorrection, trainingExample } from "../../shared/contracts/queues.ts";
import { hash53 } from "../columns/hash.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { packedRows, unpackFeatures } from "../features/packed.ts";
import type { Gradual } from "../gradual.ts";

/** Rows of a list that are kept at most: so long is the work between two pauses of training at most. */
const maxRows = 32;

/** An example of the training log as a snapshot keeps it. */
export const loggedExample = z.object({
  /** Hash of the recommendation's id. */
  id: z.number().int(),
  time: z.number(),
  /** Pseudonym, cut: people are only told apart. */
  pseudonym: z.string(),
  country: z.string().nullable(),
  modelVersion: z.string(),
  variant: z.string(),
  weight: z.number().positive(),
  candidates: z.number().int(),
  rows: z.array(
    z.object({
      /** Hash of the product's id. */
      product: z.number().int(),
      category: z.string().nullable(),
      position: z.number().int(),
      propensity: z.number(),
      score: z.number(),
      outcome: eventType.nullable(),
    }),
  ),
});
/** ... with its features, packed. */
export type LoggedExample = z.infer<typeof loggedExample> & { features: Uint8Array };

/** What came after an example had left. */
export interface LoggedCorrection {
  id: number;
  product: number;
  outcome: EventType;
}

const exampleLine = trainingExample.extend({ kind: z.literal("example"), pseudonym: z.string() });
const correctionLine = trainingCorrection.extend({ kind: z.literal("correction") });

/** Features lie within about -5..5; what is far beyond was not computed by this code. */
const farthestFeature = 64;

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** What a line of the training log says to training. */
export type LoggedLine =
  | { kind: "example"; example: LoggedExample }
  | { kind: "correction"; correction: LoggedCorrection }
  /** Made for other features: of no use, and no damage. */
  | { kind: "foreign" }
  /** Not as documented. */
  | { kind: "damaged" }
  | { kind: "other" };

const kindOf = z.object({ kind: z.string() });

/** Reads a line of the training log, which is input like any other. */
export function readLine(shape: FeatureShape, line: unknown): LoggedLine {
  const kind = kindOf.safeParse(line).data?.kind;
  if (kind === "interaction") return { kind: "other" };
  if (kind === "correction") {
    const parsed = correctionLine.safeParse(line);
    if (!parsed.success) return { kind: "damaged" };
    const { recommendationId, productId, outcome } = parsed.data;
    return {
      kind,
      correction: { id: hash53(recommendationId), product: hash53(productId), outcome },
    };
  }
  const parsed = exampleLine.safeParse(line);
  if (!parsed.success) return { kind: "damaged" };
  const { recommendationId, featureHash, features, rows, pseudonym, ...rest } = parsed.data;
  if (featureHash !== shape.hash) return { kind: "foreign" };
  const packed = bytesOf(features);
  const batch = unpackFeatures(shape, packed);
  const plausible = (value: number): boolean => Math.abs(value) <= farthestFeature;
  if (batch?.count !== rows.length || rows.length === 0 || !batch.dense.every(plausible))
    return { kind: "damaged" };
  const kept = maxTelling(rows.map(({ position, outcome }) => (outcome === null ? position : -1)));
  const part = packedRows(packed, kept);
  if (part === null) return { kind: "damaged" };
  return {
    kind: "example",
    example: {
      id: hash53(recommendationId),
      time: rest.time,
      pseudonym: pseudonym.slice(0, 16),
      country: rest.country,
      modelVersion: rest.modelVersion,
      variant: rest.variant,
      weight: rest.weight,
      candidates: rest.candidates,
      rows: kept.map((i) => {
        const { productId, category, position, propensity, score, outcome } = rows[i];
        return { product: hash53(productId), category, position, propensity, score, outcome };
      }),
      features: part,
    },
  };
}

/** The rows of the lowest ranks, in their own order. */
const maxTelling = (ranks: readonly number[]): number[] =>
  ranks
    .map((_, i) => i)
    .sort((a, b) => ranks[a] - ranks[b])
    .slice(0, maxRows)
    .sort((a, b) => a - b);

/** Strongest outcome of two; a dismissal outweighs looking, not buying. */
const strength: Record<EventType, number> = { view: 1, click: 2, dismiss: 3, cart: 4, purchase: 5 };

/** Corrections as numbers: id, product, and the place of the outcome among the types of events. */
export const correctionNumbers = (corrections: readonly LoggedCorrection[]): Float64Array<ArrayBuffer> =>
  Float64Array.from(
    corrections.flatMap(({ id, product, outcome }) => [id, product, eventType.options.indexOf(outcome)]),
  );

/** Corrections that are read between two pauses: about 1 ms of one core. */
const correctionsPerPause = 2048;

/** What {@link correctionNumbers} wrote, with pauses. */
export function* correctionsGradually(numbers: Float64Array): Gradual<Corrections> {
  const all = new Corrections();
  for (let at = 0; at + 3 <= numbers.length; at += 3) {
    if ((at / 3) % correctionsPerPause === 0) yield;
    all.add({ id: numbers[at], product: numbers[at + 1], outcome: eventType.options[numbers[at + 2]] });
  }
  return all;
}

/** Corrections by recommendation, then by product: of several the strongest, so each counts once. */
export class Corrections {
  readonly #outcomes = new Map<number, Map<number, EventType>>();

  add({ id, product, outcome }: LoggedCorrection): void {
    const products = this.#outcomes.get(id) ?? new Map<number, EventType>();
    this.#outcomes.set(id, products);
    const known = products.get(product);
    if (!known || strength[outcome] > strength[known]) products.set(product, outcome);
  }

  /** What came of a row in the end. */
  outcomeOf(id: number, product: number, outcome: EventType | null): EventType | null {
    const corrected = this.#outcomes.get(id)?.get(product);
    if (!corrected) return outcome;
    return outcome === null || strength[corrected] > strength[outcome] ? corrected : outcome;
  }

  get size(): number {
    return this.#outcomes.size;
  }
}

/** Whether an outcome is engagement. */
export const engaged = (outcome: EventType | null): boolean => outcome !== null && outcome !== "dismiss";

/** The list that an example is to training; null where its features are not of this shape. */
export function listOf(
  shape: FeatureShape,
  example: LoggedExample,
  corrections: Corrections,
): TrainingList | null {
  const batch = unpackFeatures(shape, example.features);
  if (batch === null) return null;
  const { rows } = example;
  const outcomes = rows.map(({ product, outcome }) => corrections.outcomeOf(example.id, product, outcome));
  const shown = rows.filter(({ position }) => position > 0).length;
  // Each of the others stands for as many as were ranked and not shown.
  const others = Math.max(1, (example.candidates - shown) / Math.max(1, rows.length - shown));
  return {
    batch,
    engage: Float32Array.from(outcomes, (outcome) => (engaged(outcome) ? 1 : 0)),
    purchase: Float32Array.from(outcomes, (outcome) => (outcome === "purchase" ? 1 : 0)),
    standsFor: Float32Array.from(rows, ({ position }) => (position > 0 ? 1 : others)),
    judged: Float32Array.from(rows, ({ position }) => (position > 0 ? 1 : 0)),
    weight: example.weight,
  };
}
