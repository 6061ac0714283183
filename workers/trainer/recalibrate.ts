import { runWithPauses } from "../../model/pausable-work.ts";
import {
  logStatisticsPausable,
  trainingStart,
  type WindowStarts,
  windowStarts,
} from "../../model/recalibrate/example-summary.ts";
import { checkTrainingData } from "../../model/recalibrate/gate.ts";
import type { OutcomeReading } from "../../model/recalibrate/logged-examples.ts";
import type { ModelManifest } from "../../shared/contracts/model.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import type { LogPosition } from "../../shared/training-log/read-log.ts";
import { calibrate, logWindowName } from "./steps/calibrate.ts";
import { chooseUnshownWeight } from "./steps/choose-unshown-weight.ts";
import { collect, firstChunk, mergeChunks, shareRead } from "./steps/collect.ts";
import { evaluate } from "./steps/evaluate.ts";
import { examinationOfLog } from "./steps/examination-of-log.ts";
import { runGate } from "./steps/gate.ts";
import { takeSnapshot } from "./steps/snapshot.ts";
import type { StepContext } from "./steps/step.ts";
import { planTraining, trainStep } from "./steps/train.ts";

/** Runs steps and remembers their results: a Workflow, or a double in tests. */
export interface StepRunner {
  do<T>(name: string, config: typeof stepConfig, work: () => Promise<T>): Promise<T>;
}

/** A failed step is retried with growing delays before the recalibration fails. */
export const stepConfig = {
  retries: { limit: 4, delay: "2 seconds", backoff: "exponential" },
  timeout: "10 minutes",
} as const;

/** Progress (0 to 1) after each phase, by its approximate share of the duration. */
const progressAfter = {
  snapshot: 0.02,
  collected: 0.2,
  trained: 0.8,
  calibrated: 0.85,
  evaluated: 0.95,
  gate: 0.97,
} as const;

/** Ends a recalibration whose data or candidate fails a check. */
export class RecalibrationRefusedError extends Error {
  readonly reasons: string[];
  constructor(reasons: string[]) {
    super(reasons.join("; "));
    this.reasons = reasons;
  }
}

/**
 * Runs a recalibration: snapshot, training from the serving weights, calibration, evaluation, gate, registration.
 * Throws a {@link RecalibrationRefusedError} if the data or the candidate fails a check.
 */
export async function recalibrate(context: StepContext, step: StepRunner): Promise<void> {
  const { settings, artifacts, env } = context;
  /** Runs one step and writes its name, progress and figures to the record. */
  const runStep = <T extends object>(
    name: string,
    progress: number,
    work: () => Promise<T>,
    figures?: (result: T) => Record<string, unknown>,
  ) =>
    step.do(name, stepConfig, async () => {
      await updateRecord(context, { status: "running", step: name });
      const result = await work();
      await updateRecord(context, { progress, figures: figures?.(result) });
      return result as never;
    }) as Promise<T>;

  await runStep(
    "snapshot",
    progressAfter.snapshot,
    () => takeSnapshot(context),
    ({ parent }) => ({ parent }),
  );
  let chunksRead = 0;
  let damaged = 0;
  let parts = 0;
  let total = 0;
  let position = firstChunk(context);
  for (; position !== null && total < settings.maxExamples; chunksRead++) {
    const from: LogPosition = position;
    const collected = await runStep(
      `collect ${chunksRead + 1}`,
      progressAfter.snapshot + (progressAfter.collected - progressAfter.snapshot) * shareRead(context, from),
      () => collect(context, chunksRead, from, parts),
    );
    ({ parts, total, next: position } = collected);
    damaged += collected.damaged;
  }
  if (total === 0)
    throw new RecalibrationRefusedError([
      `examples: the log of the last ${settings.days} days has no example with the features of this version; ${damaged} lines are damaged`,
    ]);

  const { windows, data, plan, examination } = await runStep(
    "plan",
    progressAfter.collected,
    async () => {
      await mergeChunks(context, chunksRead);
      const summaries = await artifacts.numbers("summary");
      const ends = windowStarts(
        summaries,
        { share: settings.calibrationShare, max: settings.maxCalibrationLists },
        { share: settings.evaluationShare, max: settings.maxEvaluationLists },
      );
      const learnedUntil = learnedUntilOf((await artifacts.model("parent")).manifest);
      const training = trainingStart(summaries, ends.calibration, learnedUntil, settings.minUnseenLists);
      const starts = { ...ends, training };
      return {
        windows: starts,
        data: await runWithPauses(logStatisticsPausable(summaries, starts, damaged), context.pause),
        plan: await planTraining(context, summaries, starts),
        examination: await examinationOfLog(context),
      };
    },
    (planned) => ({
      data: planned.data,
      windows: windowInstants(planned.windows),
      lists: planned.plan.lists,
      examination: planned.examination,
    }),
  );
  const failedChecks = checkTrainingData(data, settings.gate).filter(({ passed }) => !passed);
  if (failedChecks.length > 0 && !settings.gate.forced)
    throw new RecalibrationRefusedError(failedChecks.map(({ name, detail }) => `${name}: ${detail}`));

  const chosen = await chooseUnshownWeight(context, plan, windows, examination, (name, work) =>
    runStep(name, progressAfter.collected, work),
  );
  const { unshownWeight } = await runStep(
    "choose",
    progressAfter.collected,
    async () => chosen,
    (unshown) => ({ unshown }),
  );
  const reading: OutcomeReading = {
    unshownWeight,
    examination: { examined: Float64Array.from(examination.examined) },
  };
  const steps = plan.schedule.epochs * plan.groups.length;
  for (let epoch = 0; epoch < plan.schedule.epochs; epoch++)
    for (const group of plan.groups.keys()) {
      const done = epoch * plan.groups.length + group + 1;
      await runStep(
        `train ${done} of ${steps}`,
        progressAfter.collected + ((progressAfter.trained - progressAfter.collected) * done) / steps,
        () => trainStep(context, plan, windows, reading, epoch, group),
        ({ loss }) => ({ [`loss after step ${done} of ${steps}`]: loss }),
      );
    }
  const calibrated = await runStep(
    "calibrate",
    progressAfter.calibrated,
    () => calibrate(context, plan, windows, reading),
    (scaling) => ({ scaling }),
  );
  const evaluated = await runStep(
    "evaluate",
    progressAfter.evaluated,
    () => evaluate(context, calibrated, windows, reading),
    ({ comparison, calibration }) => ({ comparison, calibration }),
  );
  const decision = await runStep(
    "gate",
    progressAfter.gate,
    () => runGate(context, data, evaluated),
    (result) => ({ gate: result }),
  );
  if (!decision.passed) throw new RecalibrationRefusedError(decision.reasons);
  await runStep("register", 1, async () => {
    const record = await context.records.find(context.application, context.id);
    if (record !== null && record.version !== null) {
      // The step repeats after its record was written: the artifacts may be removed already.
      await updateRecord(context, { status: "registered" });
      return {};
    }
    const { manifest, bytes } = await artifacts.model("candidate");
    const { quality, gain } = evaluated.comparison;
    unwrap(
      await env.RECOMMENDATION.registerCandidate(
        context.application,
        {
          ...manifest,
          metrics: {
            ndcg10: quality.candidate,
            parentNdcg10: quality.serving,
            gain: gain.mean,
            calibrationError: evaluated.calibration.engage.after ?? 0,
          },
        },
        bytes.buffer,
        { by: `recalibration ${context.id}`, gate: decision },
      ),
      "the recommendation service",
    );
    await updateRecord(context, { status: "registered", version: manifest.version });
    return {};
  });
}

/** Returns until when a model has learned from the log, in seconds since the epoch; 0 if it has not. */
const learnedUntilOf = ({ dataWindow }: ModelManifest): number =>
  dataWindow.name === logWindowName && dataWindow.to !== null ? Date.parse(dataWindow.to) / 1000 : 0;

const windowInstants = ({ training = 0, calibration, evaluation }: WindowStarts) => ({
  trainingFrom: training === 0 ? null : toInstant(training),
  calibrationFrom: toInstant(calibration),
  evaluationFrom: toInstant(evaluation),
});

/** Applies a change to the record of a recalibration; figures are merged. */
export async function updateRecord(
  { records, application, id, startedAt, seed }: StepContext,
  change: Partial<RecalibrationRecord>,
): Promise<void> {
  const record = (await records.find(application, id)) ?? newRecalibrationRecord(id, startedAt, seed);
  const parent = change.figures?.parent;
  await records.put(application, {
    ...record,
    ...change,
    ...(typeof parent === "string" ? { parent } : {}),
    figures: { ...record.figures, ...change.figures },
    updatedAt: new Date().toISOString(),
  });
}

/** Returns the record of a recalibration before its first step. `startedAt` is in seconds since the Unix epoch. */
export const newRecalibrationRecord = (id: string, startedAt: number, seed: number): RecalibrationRecord => ({
  id,
  status: "queued",
  step: "queued",
  progress: 0,
  startedAt: toInstant(startedAt),
  updatedAt: toInstant(startedAt),
  parent: null,
  version: null,
  reasons: [],
  figures: { seed },
});
