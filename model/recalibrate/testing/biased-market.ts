import { fitExamination } from "../../examination/fit-examination.ts";
import { PositionCells } from "../../examination/position-cells.ts";
import { drawRanks } from "../../experiments/rank-draw.ts";
import { featureShape } from "../../features/compute-features.ts";
import { packFeatures } from "../../features/pack-features.ts";
import { copyParameters, type Parameters } from "../../network/parameters.ts";
import { randomBatch } from "../../onnx/random-batch.ts";
import { finalScores } from "../../pipeline/final-scores.ts";
import { sigmoid } from "../../sigmoid.ts";
import { examinationOf } from "../../simulate/position-bias.ts";
import { initialLearnerState, Learner } from "../../train/learner.ts";
import { Random } from "../../train/random.ts";
import { tapeScorer } from "../../train/train.ts";
import { applyScalingToWeights, fitPlatt } from "../calibration.ts";
import { type Comparison, compareLists, judgeList } from "../compare.ts";
import { addLabeledLogits, type LabeledHeads } from "../labeled-logits.ts";
import {
  Corrections,
  candidatesPerSampledRow,
  isSampled,
  type LoggedExample,
  type OutcomeReading,
  trainingListOf,
} from "../logged-examples.ts";
import { trainPart } from "../train-part.ts";

/** Ranked products of a list, shown ones, and the logged sample of the others. */
const candidateCount = 60;
const shownCount = 10;
const sampledCount = 10;
/** Products that a drawn order may show. */
const poolSize = 20;
/** Lists by which scores are standardized. */
const standardLists = 50;

/** A market whose users look at position k with the probability k ** -bias, and want other products than they did. */
export interface BiasedMarketOptions {
  bias: number;
  seed: number;
  /** Share of the lists whose order is drawn, and the temperature. */
  drawnShare: number;
  temperature: number;
}

/** How lists are shown: in the order of a model, of which a share is drawn, or all at random. */
export type Showing = Parameters | "at random";

/**
 * A market with the features and the network of the product, in which users changed: what the bundled model knows of them
 * counts less, and discounts count much. The features are random numbers, so that a day takes seconds.
 */
export class BiasedMarket {
  readonly #options: BiasedMarketOptions;
  readonly #before: (scores: Float32Array) => number[];
  readonly #scoreBefore: ReturnType<typeof tapeScorer>;
  #lists = 0;

  constructor(before: Parameters, options: BiasedMarketOptions) {
    this.#options = options;
    this.#scoreBefore = tapeScorer(featureShape, before);
    const logs: number[] = [];
    for (let n = 0; n < standardLists; n++)
      for (const score of finalScores(
        this.#scoreBefore(randomBatch(featureShape, candidateCount, 7_000_000 + n)),
      ))
        logs.push(Math.log(score));
    const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
    const deviation = Math.sqrt(logs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / logs.length);
    this.#before = (scores) => [...scores].map((score) => (Math.log(score) - mean) / deviation);
  }

  /** Returns the probability of a click of each product of a list, if the user looks at it. */
  #attractions(batch: ReturnType<typeof randomBatch>): number[] {
    const width = featureShape.dense.length;
    const column = (name: string): number => featureShape.dense.indexOf(name);
    const before = this.#before(finalScores(this.#scoreBefore(batch)));
    return before.map((known, row) => {
      const feature = (name: string): number => batch.dense[row * width + column(name)];
      return sigmoid(0.5 * known + 1.1 * feature("discount") - 0.7 * feature("distance_log") - 2.2);
    });
  }

  /** Returns examples of as many lists. Their times go on after those of the call before. */
  show(count: number, showing: Showing): LoggedExample[] {
    const { seed, bias, drawnShare, temperature } = this.#options;
    const score = showing === "at random" ? null : tapeScorer(featureShape, showing);
    return Array.from({ length: count }, () => {
      const id = this.#lists++;
      const random = new Random(seed * 1_000_003 + id);
      const batch = randomBatch(featureShape, candidateCount, seed * 100_000 + id);
      const attractions = this.#attractions(batch);
      const all = attractions.map((_, i) => i);
      const scores = score ? finalScores(score(batch)) : Float32Array.from(all, () => random.next());
      const ranking = [...all].sort((a, b) => scores[b] - scores[a]);
      const isDrawn = score !== null && random.next() < drawnShare;
      const order = isDrawn
        ? drawRanks(poolSize, shownCount, temperature, () => random.next()).order
        : all.slice(0, shownCount);
      const others = random.shuffle(all.slice(isDrawn ? poolSize : shownCount)).slice(0, sampledCount);
      const rows = [...order, ...others].map((rank, i) => {
        const position = i < shownCount ? i + 1 : 0;
        const product = ranking[rank];
        const isLooked = position > 0 && random.next() < examinationOf(position, bias);
        const isClicked = isLooked && random.next() < attractions[product];
        return {
          ...{ product, category: null, position, propensity: 1, score: scores[product] },
          ...{ rank: i < order.length ? rank + 1 : 0, outcome: isClicked ? ("click" as const) : null },
        };
      });
      return {
        ...{ id, time: id, pseudonym: `user ${id % 97}`, country: null, modelVersion: "v", variant: "" },
        ...{ weight: 1, candidates: candidateCount, rows },
        ...(isDrawn ? { rankTemperature: temperature } : {}),
        features: packFeatures(
          featureShape,
          batch,
          rows.map(({ product }) => product),
        ),
      };
    });
  }

  /** Returns the expected clicks of a list by a model's order of all products, as a share of those of the best order. */
  shareOfBest(parameters: Parameters, lists: number): number {
    const score = tapeScorer(featureShape, parameters);
    let [reached, best] = [0, 0];
    for (let n = 0; n < lists; n++) {
      const batch = randomBatch(featureShape, candidateCount, 8_000_000 + n);
      const attractions = this.#attractions(batch);
      const scores = finalScores(score(batch));
      const all = attractions.map((_, i) => i);
      const orders = {
        reached: [...all].sort((a, b) => scores[b] - scores[a]),
        best: [...all].sort((a, b) => attractions[b] - attractions[a]),
      };
      for (let k = 1; k <= shownCount; k++) {
        const looks = examinationOf(k, this.#options.bias);
        reached += looks * attractions[orders.reached[k - 1]];
        best += looks * attractions[orders.best[k - 1]];
      }
    }
    return reached / best;
  }
}

/** How outcomes are read: corrected, or as if users looked at everything and refused what was not shown. */
export type Learning = "corrected" | "not corrected";

/** Returns how a recalibration reads a log: with the examination that the log tells. */
export function readingOf(examples: readonly LoggedExample[], unshownWeight = 0.1): OutcomeReading {
  const cells = new PositionCells();
  for (const example of examples) cells.add(example);
  return { unshownWeight, examination: fitExamination(cells) };
}

/** Settings of the simulated nights, as the trainer has them by default. */
const schedule = { seed: 1, batch: 16, rate: 1e-3, decay: 1e-2 };
const [epochs, minSteps, maxEpochs] = [3, 250, 20];
const minUnseenLists = 100;
/** Share of the newest lists that judge a candidate. */
const judgedShare = 0.2;

/**
 * Continues to train a model on examples, as a recalibration does, and scales its heads. `not corrected` lets each logged
 * candidate that was not shown stand for all of them, as one that nobody wanted.
 */
export async function learnFrom(
  serving: Parameters,
  examples: readonly LoggedExample[],
  learning: Learning,
  reading = readingOf(examples),
): Promise<Parameters> {
  const listOf = (example: LoggedExample) => {
    const list = trainingListOf(
      featureShape,
      example,
      new Corrections(),
      learning === "corrected" ? reading : undefined,
    );
    if (list === null) throw new Error("the example has other features");
    if (learning === "corrected") return list;
    const represented = candidatesPerSampledRow(example);
    const candidatesRepresented = Float32Array.from(example.rows, (row) =>
      isSampled(row) ? represented : 1,
    );
    return { ...list, candidatesRepresented };
  };
  const training = examples.filter((_, i) => i % 10 !== 0).map(listOf);
  const perEpoch = Math.ceil(training.length / schedule.batch);
  const rounds = Math.max(epochs, Math.min(maxEpochs, Math.ceil(minSteps / perEpoch)));
  const learner = new Learner(featureShape, initialLearnerState(copyParameters(serving)), schedule.decay);
  for (let epoch = 0; epoch < rounds; epoch++)
    await trainPart(
      learner,
      training,
      { ...schedule, epochs: rounds, steps: rounds * perEpoch },
      { epoch, part: 0 },
      async () => undefined,
    );
  const { average } = learner.state;
  const score = tapeScorer(featureShape, average);
  const labeled: LabeledHeads = { engage: [], purchase: [] };
  for (const example of examples.filter((_, i) => i % 10 === 0)) {
    const list = listOf(example);
    addLabeledLogits(labeled, example, list, score(list.batch));
  }
  applyScalingToWeights(average, [fitPlatt(labeled.engage), fitPlatt(labeled.purchase)]);
  return average;
}

/**
 * One night: learns from the examples after the first `seen` ones, from which the serving model has learned, but not from the
 * newest ones, by which the gate compares the candidate. `learned` is the number of examples that the candidate has learned from,
 * with those before.
 */
export async function learnByNight(
  serving: Parameters,
  examples: readonly LoggedExample[],
  seen = 0,
  learning: Learning = "corrected",
): Promise<{ candidate: Parameters; comparison: Comparison; learned: number }> {
  const reading = readingOf(examples);
  const from = Math.floor((1 - judgedShare) * examples.length);
  const start = from - seen < minUnseenLists ? 0 : seen;
  const candidate = await learnFrom(serving, examples.slice(start, from), learning, reading);
  const [byCandidate, byServing] = [tapeScorer(featureShape, candidate), tapeScorer(featureShape, serving)];
  const judged = examples.slice(from).flatMap((example) => {
    const list = trainingListOf(featureShape, example, new Corrections(), reading);
    if (list === null) return [];
    const scored = {
      candidate: finalScores(byCandidate(list.batch)),
      serving: finalScores(byServing(list.batch)),
    };
    return [judgeList(featureShape, { example, list, ...scored })];
  });
  return { candidate, comparison: compareLists(judged, 60), learned: from };
}
