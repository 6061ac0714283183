import type { ExploredList } from "../../../model/experiments/exploration.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { packFeatures } from "../../../model/features/pack-features.ts";
import type { PipelineAnswer, PipelineItem } from "../../../model/pipeline/run-pipeline.ts";
import { traitsOf } from "../../../model/rules/similarity.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import type { ReceiptRecord } from "../../../shared/contracts/receipt.ts";

/** Candidates per impression that are logged as a sample of those that no list could show. */
const maxUnshownLogged = 10;

/**
 * Returns the impression to log: every candidate that might have been shown, the shown ones first, and a uniform sample of
 * the others. `random` returns 0..1. Positions and ranks go on after the `offset` products of pages before. `inputs` are what the list was computed from, compressed, if they are recorded.
 */
export function impressionOf(
  answer: Pick<PipelineAnswer, "candidates" | "features" | "scores" | "listScore">,
  { inPlay, rankTemperature }: ExploredList<Pick<PipelineItem, "index">>,
  receipt: ReceiptRecord,
  random: () => number,
  offset = 0,
  inputs?: Impression["inputs"],
): Impression {
  const known = new Map(inPlay.map((each) => [each.item.index, each]));
  const indices = [...known.keys(), ...sampleOthers(known, answer.candidates.length, random)];
  const numberSquares = squareNumbers();
  return {
    receipt,
    featureHash: featureShape.hash,
    ...(rankTemperature === undefined ? {} : { rankTemperature }),
    rows: indices.map((index) => {
      const { position = 0, propensity = 0, rank = 0 } = known.get(index) ?? {};
      const inList = (at: number): number => (at > 0 ? at + offset : 0);
      const { block, row } = answer.candidates[index];
      return {
        productId: block.id(row),
        category: block.strings[block.category[row]] ?? null,
        position: inList(position),
        propensity,
        rank: inList(rank),
        score: answer.scores[index],
        listScore: answer.listScore(index),
        squares: numberSquares(traitsOf({ block, row }).squares),
      };
    }),
    features: packFeatures(featureShape, answer.features, indices),
    ...(inputs ? { inputs } : {}),
  };
}

/** Returns a function that numbers the squares of each size from 0, in the order of their first product. */
function squareNumbers(): (squares: readonly number[]) => number[] {
  const numbers: Map<number, number>[] = [];
  return (squares) =>
    squares.map((square, level) => {
      numbers[level] ??= new Map();
      const number = numbers[level].get(square) ?? numbers[level].size;
      numbers[level].set(square, number);
      return number;
    });
}

/** Returns random indices below `count` that are not in `known`, each about equally likely. */
function sampleOthers(known: ReadonlyMap<number, unknown>, count: number, random: () => number): number[] {
  const drawn = new Set<number>();
  const wanted = Math.min(maxUnshownLogged, count - known.size);
  while (drawn.size < wanted) {
    let index = Math.floor(random() * count);
    // The sample is small compared to `count`: probing for the next free index is cheaper than a shuffle.
    while (known.has(index) || drawn.has(index)) index = (index + 1) % count;
    drawn.add(index);
  }
  return [...drawn];
}
