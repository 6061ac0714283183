import type { Dataset, DatasetEvent } from "../../data/dataset.ts";
import { evaluatedOn } from "../../data/evaluated-part.ts";
import { Random } from "../../train/random.ts";
import { ndcgAt10 } from "../metrics.ts";
import type { Baseline } from "./baseline.ts";
import { chooseParameters } from "./choose-parameters.ts";
import { choiceCounts } from "./popularity.ts";
import { rankOf } from "./rank-of.ts";
import type { FittedMethod, Parameters, TunedMethod } from "./tuned-method.ts";
import { ChoicesByUser, choicesIn, choiceTest, type Question } from "./user-choices.ts";

/** Held-back events by which parameters are chosen, at most, evenly from all. */
const maxQuestions = 1000;
/** Parameters that are tried of one method, at most. */
const maxTrials = 60;
const searchSeed = 1;
/** Largest difference of scores that popularity makes where a method tells nothing. */
const tieBreakScale = 1e-9;

const byTime = (events: readonly DatasetEvent[]): DatasetEvent[] =>
  [...events].sort((a, b) => a.time - b.time);

/** The parameters of a method that were chosen on held-back events. Unlike the method, they can cross to another thread. */
export interface ChosenParameters {
  name: string;
  parameters: Readonly<Record<string, number>>;
}

/** A method with its chosen parameters. */
export interface TunedBaseline extends Baseline, ChosenParameters {}

/**
 * Returns a method with the parameters of the highest NDCG@10 on the validation part; the training part is counted for that.
 * The returned method counts both parts. A dataset without a validation part holds back the newest tenth of each user's
 * training events ({@link evaluatedOn}). The test part is not read.
 */
export function tune<Name extends string>(method: TunedMethod<Name>, dataset: Dataset): TunedBaseline {
  return withParameters(method, parametersOf(method, dataset), dataset);
}

/** Returns a method with given parameters, which counts the training and the validation part. */
export function withParameters<Name extends string>(
  method: TunedMethod<Name>,
  parameters: Parameters<Name>,
  dataset: Dataset,
): TunedBaseline {
  const past = choicesIn(dataset, byTime([...dataset.train, ...dataset.valid]));
  const fitted = method.fit(dataset, past);
  const tieBreak = tieBreakOf(dataset, past);
  const seen = new ChoicesByUser(dataset);
  return {
    name: method.name,
    parameters,
    score: (event) => scoresOf(fitted, seen.question(event), parameters, tieBreak),
    observe: (event) => seen.observe(event),
  };
}

function parametersOf<Name extends string>(method: TunedMethod<Name>, dataset: Dataset): Parameters<Name> {
  const { train, test } = evaluatedOn(dataset, "valid");
  const past = choicesIn(dataset, byTime(train));
  const fitted = method.fit(dataset, past);
  const tieBreak = tieBreakOf(dataset, past);
  const asked = questionsOf(dataset, byTime(train), byTime(test));
  const ndcg = (parameters: Parameters<Name>): number => {
    let sum = 0;
    for (const { question, item } of asked)
      sum += ndcgAt10(rankOf(scoresOf(fitted, question, parameters, tieBreak), item));
    return sum;
  };
  return chooseParameters(method.values, method.start, ndcg, maxTrials, new Random(searchSeed));
}

/** Returns what the held-back events ask, at most {@link maxQuestions}, with the items that were chosen. */
function questionsOf(
  dataset: Dataset,
  past: readonly DatasetEvent[],
  heldBack: readonly DatasetEvent[],
): { question: Question; item: number }[] {
  const seen = choicesIn(dataset, past);
  const isChoice = choiceTest(heldBack);
  const asked: { question: Question; item: number }[] = [];
  for (const event of heldBack) {
    const question = seen.question(event);
    const item = seen.itemIndex(event);
    if (isChoice(event, question, item)) asked.push({ question, item });
    seen.observe(event);
  }
  const every = Math.max(1, asked.length / maxQuestions);
  return Array.from({ length: Math.min(asked.length, maxQuestions) }, (_, i) => asked[Math.floor(i * every)]);
}

/** Returns a small score of each item by its number of choices, which orders items that a method does not tell apart. */
function tieBreakOf(dataset: Dataset, past: ChoicesByUser): Float64Array {
  const counts = choiceCounts(dataset, past);
  const largest = counts.reduce((a, b) => Math.max(a, b), 1);
  return counts.map((count) => (tieBreakScale * count) / largest);
}

function scoresOf<Name extends string>(
  fitted: FittedMethod<Name>,
  question: Question,
  parameters: Parameters<Name>,
  tieBreak: Float64Array,
): Float64Array {
  const scores = tieBreak.slice();
  fitted(scores, question, parameters);
  return scores;
}
