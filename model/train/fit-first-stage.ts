import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import { categoryAffinities } from "../candidate-query/category-affinities.ts";
import { usualPlaces } from "../candidate-query/usual-places.ts";
import { type Columns, categoryOf } from "../columns/columns.ts";
import { rowOfProduct } from "../columns/row-index.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { affinityWeights, categoryHoursOf } from "../retrieval/category-affinity.ts";
import { defaultFirstStage, productScoreInputs } from "../retrieval/first-stage.ts";
import { proximityOf, proximityPointsOf } from "../retrieval/score-rows.ts";
import { adamStep } from "./adam.ts";
import { type Episode, type EpisodeOptions, replayEpisodes } from "./episodes.ts";
import type { Random } from "./random.ts";

/** The fitted weights, in the order of a row's inputs. The weight `usual` comes from a grid instead. */
const weightNames = ["people", "hot", "fresh", "near", "category", "hour"] as const;
const usualWeightGrid = [0, 0.3, 1, 3];
/** Nearby products from which the alternatives of a choice are drawn. */
const poolSize = 2000;
const alternativesPerChoice = 100;
/** Fewer choices than this give the default weights. */
const minChoices = 100;
const optimizerSteps = 150;
const learningRate = 0.05;
/** Strength of the prior around the default weights, comparable to this many choices. */
const priorStrength = 20;

/** Smallest proximity and probability whose logarithm is taken. */
const minProximity = 1e-9;
const minProbability = 1e-12;

/** For each value of the grid: inputs of the chosen product (first row) and of its alternatives. */
type Choice = Float32Array[];

/**
 * Fits the first stage's weights by conditional logit (McFadden, "Conditional Logit Analysis of Qualitative Choice
 * Behavior", 1974): which nearby product did users choose when they chose a product new to them? Choices of products
 * that the user chose before are left out, since another candidate source finds these products. Returns the default
 * weights if there are fewer than {@link minChoices} choices.
 */
export async function fitFirstStage(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: EpisodeOptions,
): Promise<FirstStage> {
  const choices: Choice[] = [];
  for await (const episode of replayEpisodes(dataset, events, options)) {
    if (episode.profile.products.has(episode.event.itemId)) continue;
    const choice = await buildChoice(episode, options.random);
    if (choice) choices.push(choice);
  }
  if (choices.length < minChoices) return defaultFirstStage;
  // The newest tenth of the choices selects the weight of usual places.
  const validationCount = Math.ceil(choices.length / 10);
  let best = { loss: Number.POSITIVE_INFINITY, weights: defaultFirstStage };
  for (const [gridIndex, usual] of usualWeightGrid.entries()) {
    const inputs = choices.map((choice) => choice[gridIndex]);
    const weights = fitLogit(inputs.slice(0, -validationCount));
    const loss = negativeLogLikelihood(inputs.slice(-validationCount), weights);
    if (loss < best.loss) best = { loss, weights: { ...toFirstStage(weights), usual } };
  }
  return best.weights;
}

const toFirstStage = (weights: Float32Array): Omit<FirstStage, "usual"> => ({
  people: weights[0],
  hot: weights[1],
  fresh: weights[2],
  near: weights[3],
  category: weights[4],
  hour: weights[5],
});

async function buildChoice(
  { event, profile, point, candidateStore }: Episode,
  random: Random,
): Promise<Choice | null> {
  const usual = usualPlaces(profile, event.time);
  const hour = localHourOf(event.time + utcOffsetAt(point?.lat ?? null, point?.lon ?? null, event.time));
  const categories = categoryAffinities(profile);
  const pool = await candidateStore.firstStageCandidates({
    point,
    usual,
    categories,
    hour,
    limit: poolSize,
    filter: {},
    now: event.time,
    weights: { people: 0, hot: 0, fresh: 0, near: 1, usual: 1, category: 0, hour: 0 },
  });
  const chosen = rowOfProduct(pool, event.itemId);
  if (chosen === undefined) return null;
  const rows = [chosen];
  while (rows.length <= alternativesPerChoice) rows.push(random.below(pool.count));
  const categoryHours = categoryHoursOf([pool]);
  const categoryWeights = {
    chosen: affinityWeights(categoryHours, hour, categories, { category: 1, hour: 0 }),
    hour: affinityWeights(categoryHours, hour, [], { category: 0, hour: 1 }),
  };
  return usualWeightGrid.map((weight) => choiceInputs(pool, rows, point, usual, weight, categoryWeights));
}

function choiceInputs(
  pool: Columns,
  rows: readonly number[],
  point: Point | null,
  usual: ReturnType<typeof usualPlaces>,
  weight: number,
  categoryWeights: { chosen: ReadonlyMap<string, number>; hour: ReadonlyMap<string, number> },
): Float32Array {
  const proximityPoints = proximityPointsOf(point, usual, { ...defaultFirstStage, usual: weight });
  const vectors = rowVectorsOf(pool);
  const inputs = new Float32Array(rows.length * weightNames.length);
  for (const [i, row] of rows.entries()) {
    inputs.set(productScoreInputs(pool, row), i * weightNames.length);
    const near = proximityPoints ? proximityOf(proximityPoints, vectors, row) : 1;
    inputs[i * weightNames.length + 3] = Math.log(Math.max(minProximity, near));
    inputs[i * weightNames.length + 4] = categoryWeights.chosen.get(categoryOf(pool, row)) ?? 0;
    inputs[i * weightNames.length + 5] = categoryWeights.hour.get(categoryOf(pool, row)) ?? 0;
  }
  return inputs;
}

/** Returns the maximum a posteriori weights under a Gaussian prior around the defaults, found by Adam. */
function fitLogit(choices: readonly Float32Array[]): Float32Array {
  const start = Float32Array.from(weightNames, (name) => defaultFirstStage[name]);
  const weights = start.slice();
  const moments = { m: new Float32Array(weightNames.length), v: new Float32Array(weightNames.length) };
  const gradient = new Float32Array(weightNames.length);
  for (let step = 1; step <= optimizerSteps; step++) {
    for (let k = 0; k < weightNames.length; k++) gradient[k] = priorStrength * (weights[k] - start[k]);
    for (const inputs of choices) addGradient(inputs, weights, gradient);
    adamStep(weights, gradient, moments, step, learningRate, 0, choices.length);
  }
  return weights;
}

/** Returns the choice probability of each row under the weights. */
function probabilities(inputs: Float32Array, weights: Float32Array): Float64Array {
  const n = inputs.length / weightNames.length;
  const scores = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < weightNames.length; k++) scores[i] += weights[k] * inputs[i * weightNames.length + k];
  const maxScore = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    scores[i] = Math.exp(scores[i] - maxScore);
    sum += scores[i];
  }
  for (let i = 0; i < n; i++) scores[i] /= sum;
  return scores;
}

function addGradient(inputs: Float32Array, weights: Float32Array, gradient: Float32Array): void {
  const p = probabilities(inputs, weights);
  for (let i = 0; i < p.length; i++) {
    const error = p[i] - (i === 0 ? 1 : 0);
    for (let k = 0; k < weightNames.length; k++) gradient[k] += error * inputs[i * weightNames.length + k];
  }
}

const negativeLogLikelihood = (choices: readonly Float32Array[], weights: Float32Array): number =>
  choices.reduce(
    (sum, inputs) => sum - Math.log(Math.max(minProbability, probabilities(inputs, weights)[0])),
    0,
  );
