import { featureShape } from "../../../model/features/compute.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { finalScores } from "../../../model/pipeline/recommend.ts";
import { calibrationError, type Judged } from "../../../model/recalibrate/calibration.ts";
import { compare, type ListQuality, qualityOf } from "../../../model/recalibrate/compare.ts";
import { type GateConfiguration, type GateResult, gate } from "../../../model/recalibrate/gate.ts";
import { latencyOf } from "../../../model/recalibrate/latency.ts";
import { listOf } from "../../../model/recalibrate/logged-examples.ts";
import { factsOf, summarise, windowsOf } from "../../../model/recalibrate/summary.ts";
import { stopwatch } from "./latency.ts";
import { newestExamples, type Reach } from "./newest.ts";

/** Of the log, what a model that was brought is judged by: some seconds of one core. */
const reach: Reach = { days: 30, objects: 100, examples: 4000 };
/** Share of the examples, the newest, by which it is judged. */
const newestShare = 0.5;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A model that was brought, and what it is to be better than. */
export interface Contest {
  candidate: Ranker;
  bytes: number;
  serving: Ranker;
}

/**
 * Asks the gate of recalibrations whether a model that was brought may meet people: by the newest outcomes in the training
 * log, against what serves and against plain orders. `now` in seconds since the epoch.
 */
export async function judge(
  env: Pick<RecommendationEnv, "TRAINING_LOG" | "USER" | "DB">,
  application: string,
  { candidate, bytes, serving }: Contest,
  configuration: GateConfiguration,
  now: number,
): Promise<GateResult> {
  const { examples, corrections, damaged } = await newestExamples(env, application, featureShape, reach, now);
  const summaries = summarise(examples, 0);
  const most = Number.POSITIVE_INFINITY;
  const windows = windowsOf(summaries, { share: 0, most }, { share: newestShare, most });
  const lists: ListQuality[] = [];
  const judged = { engage: [] as Judged[], purchase: [] as Judged[] };
  let finite = true;
  for (const example of examples.filter(({ time }) => time >= windows.evaluation)) {
    const list = listOf(featureShape, example, corrections);
    if (list === null) continue;
    const scores = await candidate.score(list.batch);
    const served = finalScores(await serving.score(list.batch));
    await pause();
    const values = finalScores(scores);
    finite &&= values.every(Number.isFinite);
    const quality = qualityOf(featureShape, { example, list, candidate: values, serving: served });
    if (quality !== null) lists.push(quality);
    example.rows.forEach(({ position }, row) => {
      if (position === 0) return;
      for (const head of ["engage", "purchase"] as const)
        judged[head].push({ logit: scores[head][row], outcome: list[head][row], weight: list.weight });
    });
  }
  const errorOf = (rows: readonly Judged[]): number | null =>
    rows.some(({ outcome }) => outcome > 0) ? calibrationError(rows, { slope: 1, offset: 0 }) : null;
  const touch = () => env.DB.prepare("SELECT 1").run();
  return gate(
    {
      data: factsOf(summaries, windows, damaged),
      comparison: compare(lists, configuration.minSliceLists),
      calibration: { engage: errorOf(judged.engage), purchase: errorOf(judged.purchase) },
      latency: await latencyOf(
        await stopwatch(candidate, touch),
        await stopwatch(serving, touch),
        configuration,
      ),
      golden: null,
      bytes,
      finiteWeights: finite,
    },
    configuration,
  );
}
