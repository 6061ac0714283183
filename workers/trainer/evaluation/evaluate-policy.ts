import { estimateOffPolicy, type OffPolicyEstimate } from "../../../model/evaluate/off-policy/estimate.ts";
import { type ListInPlay, listInPlay } from "../../../model/evaluate/off-policy/list-in-play.ts";
import { ListSums } from "../../../model/evaluate/off-policy/list-sums.ts";
import { ScoreBins } from "../../../model/evaluate/off-policy/score-bins.ts";
import { targetListOf } from "../../../model/evaluate/off-policy/target-list.ts";
import { PositionCells } from "../../../model/examination/position-cells.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import { type Corrections, decodeCorrectionsPausable } from "../../../model/recalibrate/logged-examples.ts";
import type { Evaluation, EvaluationInput, EvaluationResult } from "../../../shared/contracts/evaluation.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { RecommendationApi } from "../../../shared/services/recommendation-api.ts";
import type { LogPosition } from "../../../shared/training-log/read-log.ts";
import type { ArtifactStore } from "../artifacts.ts";
import { type StepRunner, stepConfig } from "../recalibrate.ts";
import type { RecalibrationSettings } from "../settings.ts";
import { type CollectContext, collect, firstChunk, mergeChunks, shareRead } from "../steps/collect.ts";
import type { EvaluationStore } from "./store.ts";

/** Lists per scoring call to the recommendation service. */
const listsPerCall = 64;
/** Parts of the snapshot that one step reads: some seconds of CPU time for a model, with 4 MB a part. */
const partsPerStep = 8;
/** Lists that an evaluation reads, at most, the newest first. */
const maxLists = 50_000;
/** Lists of the first parts that decide the bins of scores, at most. */
const maxListsForBins = 1000;
/** Rows of a list: 100 shown ones, 50 that exploration may show, and the sample. */
const rowLimit = 160;
/** Progress (0 to 1) after the log is read. */
const collectedProgress = 0.4;

/** What an evaluation needs. */
export interface EvaluationContext {
  env: CollectContext["env"] & { RECOMMENDATION: Pick<RecommendationApi, "scoreLists"> };
  application: string;
  id: string;
  /** Seconds since the Unix epoch. */
  startedAt: number;
  input: EvaluationInput;
  /** SHA-256 of the file of the model in question; null for the model that served. */
  modelSha256: string | null;
  settings: RecalibrationSettings;
  artifacts: ArtifactStore;
  records: Pick<EvaluationStore, "update">;
  /** Lets other requests run. */
  pause(): Promise<void>;
}

/** Lists that could not be evaluated, by reason. */
type LeftOut = Record<string, number>;

/**
 * Runs an evaluation: collects the lists of the log, sums what they tell of the policy, and estimates. Each step stores its
 * result, so that an interrupted evaluation repeats no finished step. Its memory does not grow with the log.
 */
export async function evaluatePolicy(context: EvaluationContext, step: StepRunner): Promise<void> {
  const { application, id, records, input } = context;
  const update = (change: Partial<Evaluation>): Promise<void> =>
    records.update(application, id, change, Date.now() / 1000);
  const runStep = <T>(name: string, progress: number, work: () => Promise<T>): Promise<T> =>
    step.do(name, stepConfig, async () => {
      await update({ status: "running", step: name });
      const result = await work();
      await update({ progress });
      return result as never;
    }) as Promise<T>;
  const reading: CollectContext = {
    ...context,
    rowLimit,
    settings: { ...context.settings, days: input.days },
  };
  let parts = 0;
  let total = 0;
  let chunks = 0;
  let leftOut: LeftOut = {};
  for (let position = firstChunk(reading); position !== null && total < maxLists; chunks++) {
    const from: LogPosition = position;
    const collected = await runStep(
      `collect ${chunks + 1}`,
      collectedProgress * shareRead(reading, from),
      () => collect(reading, chunks, from, parts),
    );
    ({ parts, total, next: position } = collected);
    leftOut = addCounts(leftOut, {
      damaged: collected.damaged,
      "features of another version": collected.incompatible,
    });
  }
  await runStep("merge", collectedProgress, () => mergeChunks(reading, chunks));
  const steps = Math.ceil(parts / partsPerStep);
  for (let index = 0; index < steps; index++) {
    const last = Math.min(parts, (index + 1) * partsPerStep);
    const progress = collectedProgress + (0.95 - collectedProgress) * ((index + 1) / steps);
    const found = await runStep(`sum ${index + 1} of ${steps}`, progress, () =>
      sumParts(context, index, index * partsPerStep, last),
    );
    leftOut = addCounts(leftOut, found);
  }
  await runStep("estimate", 1, async () => {
    const sums =
      steps === 0
        ? new ListSums(ScoreBins.of([]))
        : new ListSums(await context.artifacts.numbers(`sums-${steps - 1}`));
    const drawn = new PositionCells(await context.artifacts.numbers("positions"));
    const found = estimateOffPolicy(sums, drawn);
    if ("refusals" in found) {
      const reasons = [...found.refusals, ...leftOutReasons(leftOut)];
      return update({ status: "refused", progress: 1, reasons });
    }
    return update({ status: "estimated", progress: 1, result: resultOf(found, leftOut) });
  });
}

/** Adds the lists of some parts to the sums of the steps before, and stores the sums. Returns the lists left out. */
async function sumParts(
  context: EvaluationContext,
  index: number,
  first: number,
  end: number,
): Promise<LeftOut> {
  const { artifacts, pause, input } = context;
  const corrections = await runWithPauses(
    decodeCorrectionsPausable(await artifacts.numbers("corrections")),
    pause,
  );
  const sums = new ListSums(
    index === 0 ? await scoreBinsOf(context, corrections, end) : await artifacts.numbers(`sums-${index - 1}`),
  );
  const { boost, diversity, limit, caps } = input;
  const rules = { boost, diversity, limit, perCategory: caps?.perCategory };
  let leftOut: LeftOut = {};
  let pending: { list: ListInPlay; features: Uint8Array }[] = [];
  const flush = async (): Promise<void> => {
    const scores = await modelScores(
      context,
      pending.map(({ features }) => features),
    );
    for (const [i, { list }] of pending.entries())
      sums.add(list, targetListOf(list, { rules, modelScores: scores?.[i] }));
    pending = [];
    await pause();
  };
  for (let part = first; part < end; part++)
    for (const example of await artifacts.shard(part)) {
      const list = listInPlay(example, corrections);
      if (typeof list === "string") leftOut = addCounts(leftOut, { [list]: 1 });
      else pending.push({ list, features: example.features.slice() });
      if (pending.length >= listsPerCall) await flush();
    }
  if (pending.length > 0) await flush();
  await artifacts.putNumbers(`sums-${index}`, sums.numbers);
  return leftOut;
}

/** Returns the bins of scores that the first lists decide, of the parts before `end`. */
async function scoreBinsOf(
  { artifacts, pause }: EvaluationContext,
  corrections: Corrections,
  end: number,
): Promise<ScoreBins> {
  const lists: ListInPlay[] = [];
  for (let part = 0; part < end && lists.length < maxListsForBins; part++) {
    for (const example of await artifacts.shard(part)) {
      const list = listInPlay(example, corrections);
      if (typeof list !== "string") lists.push(list);
      if (lists.length === maxListsForBins) break;
    }
    await pause();
  }
  return ScoreBins.of(lists);
}

/** Returns the scores of lists by the model in question, as it would serve; null for the model that served. */
async function modelScores(
  { env, application, modelSha256 }: EvaluationContext,
  packs: Uint8Array[],
): Promise<Float32Array[] | null> {
  if (modelSha256 === null) return null;
  return unwrap(
    await env.RECOMMENDATION.scoreLists(application, modelSha256, packs),
    "the recommendation service",
  ).map((values) => Float32Array.from(values));
}

function addCounts(counts: LeftOut, more: LeftOut): LeftOut {
  const sums = { ...counts };
  for (const [name, count] of Object.entries(more)) if (count > 0) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

const leftOutReasons = (leftOut: LeftOut): string[] =>
  Object.entries(leftOut).map(([reason, count]) => `left out: ${count} (${reason})`);

/** Returns the result of an evaluation. */
function resultOf(
  { values, lists, effectiveLists, outside, examined }: OffPolicyEstimate,
  leftOut: LeftOut,
): EvaluationResult {
  return {
    ...values,
    verdict: verdictOf(values.clicks.doublyRobust),
    lists,
    effectiveLists,
    outside: Math.min(1, outside),
    examined,
    leftOut,
  };
}

/** Returns a sentence about the clicks of a list. */
export function verdictOf({ current, difference }: EvaluationResult["clicks"]["doublyRobust"]): string {
  const share = (value: number): string =>
    `${value < 0 ? "" : "+"}${((100 * value) / (current.estimate || 1)).toFixed(1)}%`;
  const range = `${share(difference.estimate)} clicks for a list (95% interval ${share(difference.low)} to ${share(difference.high)})`;
  if (difference.low > 0) return `The policy would get more clicks: ${range}. An experiment can confirm it.`;
  if (difference.high < 0) return `The policy would get fewer clicks: ${range}.`;
  return `The log shows no difference: ${range}.`;
}
