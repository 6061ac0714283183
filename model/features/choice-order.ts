import { ProductTable } from "../columns/product-table.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import { type ChoiceSequence, choiceSequenceOf } from "./choice-sequence.ts";

/** What the order of a user's choices says about one product. Shares are 0 to 1. */
export interface OrderStats {
  /** Choices since the newest choice of the product; 1 if it is the newest of all. */
  age: number;
  /** Mean number of choices from one choice of the product to its next; 0 if there is one choice. */
  meanGap: number;
  /** Choices among the newest 10 and the newest 30. */
  among10: number;
  among30: number;
  /** Choices in the present session. */
  inSession: number;
  /** Share of the user's sessions that began with the product; 0 unless the next choice begins a session. */
  startShare: number;
  /** Share of the choices directly after the last product, and their weighted number. */
  nextShare: number;
  nextCount: number;
  /** Share of the choices directly after the last two products, in their order. */
  afterTwoShare: number;
  /** Share of the choices that followed choices like the newest ones. */
  contextShare: number;
}

/** A pause of at least this many seconds between two choices starts a session. */
const sessionPauseSeconds = 6 * 3600;
/** Choices until a choice counts half. */
const halfLifeChoices = 100;
const retention = 2 ** (-1 / halfLifeChoices);
/** Likeness of two choices by an equal product so many choices before them. */
const contextWeights = [1, 0.5, 0.3, 0.2, 0.15] as const;
/** Added to the sums of which shares are taken: few observations prove little. */
const priors = { next: 1, afterTwo: 1, context: 0.5, start: 1 } as const;

/** What a choice is counted under, by what came before it. */
const kinds = { next: 0, afterTwo: 1, context: 2, start: 3 } as const;
type Kind = keyof typeof kinds;
const kindCount = Object.keys(kinds).length;

/**
 * Returns what the order of a user's choices says about each of their products, as of local time `localNow` in seconds. Only
 * the pauses between sessions need a clock, so it also holds where the times of a history are coarse or wrong.
 *
 * Shares are estimates of variable-order Markov models (Begleiter, El-Yaniv and Yona, "On Prediction Using Variable Order
 * Markov Models", JAIR 22, 2004), smoothed, in which a choice counts half after {@link halfLifeChoices} more.
 */
export function choiceOrderOf(profile: ReadonlyProfile, localNow: number): ProductTable<OrderStats> {
  const sequence = choiceSequenceOf(profile);
  const { productIds, products, times } = sequence;
  const n = products.length;
  const weights = new Float64Array(productIds.length * kindCount);
  const sums = new Float64Array(kindCount);
  const add = (product: number, kind: Kind, weight: number): void => {
    weights[product * kindCount + kinds[kind]] += weight;
    sums[kinds[kind]] += weight;
  };
  const isNextStart = n > 0 && startsSession(times[n - 1], localNow);
  const sessionStart = isNextStart ? n : startOfLastSession(sequence);
  const oldest = new Int32Array(productIds.length).fill(-1);
  const newest = new Int32Array(productIds.length);
  const counts = new Int32Array(productIds.length);
  const among10 = new Int32Array(productIds.length);
  const among30 = new Int32Array(productIds.length);
  const inSession = new Int32Array(productIds.length);
  let weight = retention ** n;
  for (let j = 0; j < n; j++) {
    weight /= retention;
    const product = products[j];
    if (oldest[product] < 0) oldest[product] = j;
    newest[product] = j;
    counts[product]++;
    if (j >= n - 10) among10[product]++;
    if (j >= n - 30) among30[product]++;
    if (j >= sessionStart) inSession[product]++;
    if (j === 0 || startsSession(times[j - 1], times[j])) add(product, "start", weight);
    const likeness = likenessOfContexts(products, j);
    if (likeness === 0) continue;
    add(product, "context", weight * likeness * likeness);
    if (products[j - 1] !== products[n - 1]) continue;
    add(product, "next", weight);
    if (j > 1 && products[j - 2] === products[n - 2]) add(product, "afterTwo", weight);
  }
  const table = new ProductTable<OrderStats>(productIds.length);
  for (let product = 0; product < productIds.length; product++) {
    const count = counts[product];
    if (count === 0) continue;
    const weightOf = (kind: Kind): number => weights[product * kindCount + kinds[kind]];
    const share = (kind: Kind): number => weightOf(kind) / (sums[kinds[kind]] + priors[kind]);
    table.set(productIds[product], {
      age: n - newest[product],
      meanGap: count > 1 ? (newest[product] - oldest[product]) / (count - 1) : 0,
      among10: among10[product],
      among30: among30[product],
      inSession: inSession[product],
      startShare: isNextStart ? share("start") : 0,
      nextShare: share("next"),
      nextCount: weightOf("next"),
      afterTwoShare: share("afterTwo"),
      contextShare: share("context"),
    });
  }
  return table;
}

const startsSession = (before: number, time: number): boolean => time - before >= sessionPauseSeconds;

/** Returns the index of the first choice of the last session; 0 without choices. */
function startOfLastSession({ times }: ChoiceSequence): number {
  let start = Math.max(0, times.length - 1);
  while (start > 0 && !startsSession(times[start - 1], times[start])) start--;
  return start;
}

/** Returns how like the choices before choice `j` are to the newest choices: the sum of the weights of equal products. */
function likenessOfContexts(products: Int32Array, j: number): number {
  const n = products.length;
  let likeness = 0;
  for (let k = 1; k <= contextWeights.length && k <= j; k++)
    if (products[j - k] === products[n - k]) likeness += contextWeights[k - 1];
  return likeness;
}
