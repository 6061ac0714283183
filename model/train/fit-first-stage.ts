import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import { categoryAffinities } from "../candidate-query/category-affinities.ts";
import { usualLocations } from "../candidate-query/usual-locations.ts";
import type { Columns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { hourOf } from "../profile/profile.ts";
import { affinityWeights, categoryHoursOf } from "../retrieval/category-affinity.ts";
import { defaultFirstStage, priorInputs } from "../retrieval/first-stage.ts";
import { proximityOf, vantageOf, vectorsOf } from "../retrieval/scan.ts";
import { rowOfHash } from "../retrieval/tiles.ts";
import { adamStep } from "./adam.ts";
import { type Episode, type EpisodeOptions, episodesOf } from "./episodes.ts";
import type { Random } from "./random.ts";

/** Weights that are fitted, in the order of a row's inputs; `usual` is chosen from a grid. */
const names = ["people", "hot", "fresh", "near", "category", "hour"] as const;
const usualGrid = [0, 0.3, 1, 3];
/** Products around the person from which the alternatives of a choice are drawn, and how many. */
const poolSize = 2000;
const alternatives = 100;
/** With fewer choices than this the defaults stay. */
const minChoices = 100;
const steps = 150;
const rate = 0.05;
/** Pull towards the defaults, as if so many choices had spoken for them. */
const prior = 20;

/** A choice: inputs of the chosen product (first) and of its alternatives, by the weight of usual places. */
type Choice = Float32Array[];

/**
 * The first stage's weights by conditional logit (McFadden, "Conditional Logit Analysis of Qualitative Choice
 * Behavior", 1974): which of all that was around did people choose who chose something new to them? What they chose
 * before comes from another source and teaches nothing here. Answers the defaults where there are few such choices.
 */
export async function fitFirstStage(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: EpisodeOptions,
): Promise<FirstStage> {
  const choices: Choice[] = [];
  for await (const episode of episodesOf(dataset, events, options)) {
    if (episode.profile.products.has(episode.event.itemId)) continue;
    const choice = await choiceOf(episode, options.random);
    if (choice) choices.push(choice);
  }
  if (choices.length < minChoices) return defaultFirstStage;
  // The newest tenth decides how much usual places count.
  const held = Math.ceil(choices.length / 10);
  let best = { loss: Number.POSITIVE_INFINITY, weights: defaultFirstStage };
  for (const [which, usual] of usualGrid.entries()) {
    const inputs = choices.map((choice) => choice[which]);
    const weights = fitLogit(inputs.slice(0, -held));
    const loss = lossOf(inputs.slice(-held), weights);
    if (loss < best.loss) best = { loss, weights: { ...named(weights), usual } };
  }
  return best.weights;
}

const named = (weights: Float32Array): Omit<FirstStage, "usual"> => ({
  people: weights[0],
  hot: weights[1],
  fresh: weights[2],
  near: weights[3],
  category: weights[4],
  hour: weights[5],
});

async function choiceOf(
  { event, profile: person, point, places }: Episode,
  random: Random,
): Promise<Choice | null> {
  const usual = usualLocations(person, event.time);
  const hour = hourOf(event.time + localOffset(point?.lat ?? null, point?.lon ?? null, event.time));
  const categories = categoryAffinities(person);
  const pool = await places.firstStage({
    point,
    usual,
    categories,
    hour,
    limit: poolSize,
    filter: {},
    now: event.time,
    weights: { people: 0, hot: 0, fresh: 0, near: 1, usual: 1, category: 0, hour: 0 },
  });
  const chosen = rowOfHash(pool, hash53(event.itemId));
  if (chosen === undefined) return null;
  const rows = [chosen];
  while (rows.length <= alternatives) rows.push(random.below(pool.count));
  const around = categoryHoursOf([pool]);
  const ofCategory = {
    chosen: affinityWeights(around, hour, categories, { category: 1, hour: 0 }),
    hour: affinityWeights(around, hour, [], { category: 0, hour: 1 }),
  };
  return usualGrid.map((weight) => inputsOf(pool, rows, point, usual, weight, ofCategory));
}

function inputsOf(
  pool: Columns,
  rows: readonly number[],
  point: Point | null,
  usual: ReturnType<typeof usualLocations>,
  weight: number,
  ofCategory: { chosen: ReadonlyMap<number, number>; hour: ReadonlyMap<number, number> },
): Float32Array {
  const vantage = vantageOf(point, usual, { ...defaultFirstStage, usual: weight });
  const at = vectorsOf(pool);
  const inputs = new Float32Array(rows.length * names.length);
  for (const [i, row] of rows.entries()) {
    inputs.set(priorInputs(pool, row), i * names.length);
    const near = vantage ? proximityOf(vantage, at, row) : 1;
    inputs[i * names.length + 3] = Math.log(Math.max(1e-9, near));
    inputs[i * names.length + 4] = ofCategory.chosen.get(pool.categoryHash[row]) ?? 0;
    inputs[i * names.length + 5] = ofCategory.hour.get(pool.categoryHash[row]) ?? 0;
  }
  return inputs;
}

/** Maximum likelihood with a Gaussian prior around the defaults, by Adam. */
function fitLogit(choices: readonly Float32Array[]): Float32Array {
  const start = Float32Array.from(names, (name) => defaultFirstStage[name]);
  const weights = start.slice();
  const moments = { m: new Float32Array(names.length), v: new Float32Array(names.length) };
  const gradient = new Float32Array(names.length);
  for (let step = 1; step <= steps; step++) {
    for (let k = 0; k < names.length; k++) gradient[k] = prior * (weights[k] - start[k]);
    for (const inputs of choices) addGradient(inputs, weights, gradient);
    adamStep(weights, gradient, moments, step, rate, 0, choices.length);
  }
  return weights;
}

/** Probabilities of the alternatives under the weights. */
function probabilities(inputs: Float32Array, weights: Float32Array): Float64Array {
  const n = inputs.length / names.length;
  const scores = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < names.length; k++) scores[i] += weights[k] * inputs[i * names.length + k];
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    scores[i] = Math.exp(scores[i] - most);
    sum += scores[i];
  }
  for (let i = 0; i < n; i++) scores[i] /= sum;
  return scores;
}

function addGradient(inputs: Float32Array, weights: Float32Array, gradient: Float32Array): void {
  const p = probabilities(inputs, weights);
  for (let i = 0; i < p.length; i++) {
    const error = p[i] - (i === 0 ? 1 : 0);
    for (let k = 0; k < names.length; k++) gradient[k] += error * inputs[i * names.length + k];
  }
}

const lossOf = (choices: readonly Float32Array[], weights: Float32Array): number =>
  choices.reduce((sum, inputs) => sum - Math.log(Math.max(1e-12, probabilities(inputs, weights)[0])), 0);
