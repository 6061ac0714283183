import { gradually } from "../../model/gradual.ts";
import { checkData } from "../../model/recalibrate/gate.ts";
import { factsGradually, windowsOf } from "../../model/recalibrate/summary.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { calibrate } from "./steps/calibrate.ts";
import { begin, collect, join } from "./steps/collect.ts";
import { evaluate } from "./steps/evaluate.ts";
import { decide } from "./steps/gate.ts";
import type { StepContext } from "./steps/step.ts";
import { learn, plan as planOf } from "./steps/train.ts";

/** What carries out steps: a Workflow, which remembers the result of each. */
export interface StepRunner {
  do<T>(name: string, config: typeof retries, work: () => Promise<T>): Promise<T>;
}

/** A step that fails is tried again, later each time, before the recalibration fails. */
export const retries = {
  retries: { limit: 4, delay: "2 seconds", backoff: "exponential" },
  timeout: "10 minutes",
} as const;

/** Shares of the whole that the parts of the work take, roughly: what progress says. */
const after = { collected: 0.2, learnt: 0.8, calibrated: 0.85, evaluated: 0.95 } as const;

/** Ends a recalibration that must not go on. */
export class Refusal extends Error {
  readonly reasons: string[];
  constructor(reasons: string[]) {
    super(reasons.join("; "));
    this.reasons = reasons;
  }
}

/**
 * The work of a recalibration: snapshot, training from the serving weights, calibration, evaluation, gate, registration.
 * Throws a {@link Refusal} where it must not go on.
 */
export async function recalibrate(context: StepContext, step: StepRunner): Promise<void> {
  const { settings, bench, env } = context;
  /** One step; its name and result become part of what can be asked for. */
  const say = <T extends object>(
    name: string,
    progress: number,
    work: () => Promise<T>,
    figures?: (result: T) => Record<string, unknown>,
  ) =>
    step.do(name, retries, async () => {
      await tell(context, { status: "running", step: name });
      const result = await work();
      await tell(context, { progress, figures: figures?.(result) });
      return result as never;
    }) as Promise<T>;

  const { chunks } = await say(
    "snapshot",
    0.02,
    () => begin(context),
    ({ parent }) => ({ parent }),
  );
  let read = 0;
  let damaged = 0;
  let parts = 0;
  let total = 0;
  for (; read < chunks && total < settings.maxExamples; read++) {
    const collected = await say(
      `collect ${read + 1} of ${chunks}`,
      0.02 + ((after.collected - 0.02) * (read + 1)) / chunks,
      () => collect(context, read, parts),
    );
    ({ parts, total } = collected);
    damaged += collected.damaged;
  }
  if (total === 0)
    throw new Refusal([
      `examples: the log of ${settings.days} days holds none for these features, ${damaged} lines are damaged`,
    ]);

  const { windows, data, plan } = await say(
    "plan",
    after.collected,
    async () => {
      await join(context, read);
      const summaries = await bench.numbers("summary");
      const cut = windowsOf(
        summaries,
        { share: settings.calibrationShare, most: settings.maxCalibrationLists },
        { share: settings.evaluationShare, most: settings.maxEvaluationLists },
      );
      return {
        windows: cut,
        data: await gradually(factsGradually(summaries, cut, damaged), context.pause),
        plan: await planOf(context, summaries, cut),
      };
    },
    (found) => ({ data: found.data, windows: instants(found.windows), lists: found.plan.lists }),
  );
  const unfit = checkData(data, settings.gate).filter(({ passed }) => !passed);
  if (unfit.length > 0 && !settings.gate.forced)
    throw new Refusal(unfit.map(({ name, detail }) => `${name}: ${detail}`));

  const steps = plan.course.epochs * plan.groups.length;
  for (let epoch = 0; epoch < plan.course.epochs; epoch++)
    for (const group of plan.groups.keys()) {
      const done = epoch * plan.groups.length + group + 1;
      await say(
        `train ${done} of ${steps}`,
        after.collected + ((after.learnt - after.collected) * done) / steps,
        () => learn(context, plan, windows, epoch, group),
        ({ loss }) => ({ [`loss after step ${done} of ${steps}`]: loss }),
      );
    }
  const calibrated = await say(
    "calibrate",
    after.calibrated,
    () => calibrate(context, plan, windows),
    (scaling) => ({ scaling }),
  );
  const evaluated = await say(
    "evaluate",
    after.evaluated,
    () => evaluate(context, calibrated, windows),
    ({ comparison, calibration }) => ({ comparison, calibration }),
  );
  const decision = await say(
    "gate",
    0.97,
    () => decide(context, data, evaluated),
    (result) => ({ gate: result }),
  );
  if (!decision.passed) throw new Refusal(decision.reasons);
  await say("register", 1, async () => {
    const known = await bench.record();
    if (known !== null && known.version !== null) {
      // Repeated after its end was told: what it needs may have been cleared away.
      await tell(context, { status: "registered" });
      return {};
    }
    const { manifest, bytes } = await bench.model("candidate");
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
    await tell(context, { status: "registered", version: manifest.version });
    return {};
  });
}

const instants = ({ calibration, evaluation }: { calibration: number; evaluation: number }) => ({
  calibrationFrom: toInstant(calibration),
  evaluationFrom: toInstant(evaluation),
});

/** Changes what is told of a recalibration. */
export async function tell(
  { bench, id, startedAt, seed }: StepContext,
  change: Partial<RecalibrationRecord>,
): Promise<void> {
  const known = (await bench.record()) ?? newRecord(id, startedAt, seed);
  const parent = change.figures?.parent;
  await bench.putRecord({
    ...known,
    ...change,
    ...(typeof parent === "string" ? { parent } : {}),
    figures: { ...known.figures, ...change.figures },
    updatedAt: new Date().toISOString(),
  });
}

/** What is told before anything has begun. */
export const newRecord = (id: string, startedAt: number, seed: number): RecalibrationRecord => ({
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
