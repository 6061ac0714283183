import type { FeatureBatch } from "../../../model/features/batch.ts";
import { gradually } from "../../../model/gradual.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { manifestOf } from "../../../model/onnx/manifest.ts";
import {
  fitPlattGradually,
  foldInto,
  type Judged,
  type Platt,
} from "../../../model/recalibrate/calibration.ts";
import type { Windows } from "../../../model/recalibrate/summary.ts";
import { tapeScorer } from "../../../model/train/train.ts";
import { shape } from "../artifacts.ts";
import { heldBack } from "./held-back.ts";
import type { StepContext } from "./step.ts";
import { learnt, type Plan } from "./train.ts";

/** What calibration found. */
export interface Calibrated {
  engage: Platt;
  purchase: Platt;
  lists: number;
  version: string;
  bytes: number;
}

/** Fits both heads' probabilities to the window after the one that was learnt from, and makes the candidate's file. */
export async function calibrate(context: StepContext, plan: Plan, windows: Windows): Promise<Calibrated> {
  const { bench, pause, settings, id, startedAt, seed } = context;
  const { average: parameters } = await learnt(context, plan);
  const score = tapeScorer(shape, parameters);
  const engage: Judged[] = [];
  const purchase: Judged[] = [];
  let lists = 0;
  const window = heldBack(context, windows.calibration, windows.evaluation, settings.maxCalibrationLists);
  for await (const { example, list } of window) {
    lists++;
    const scores = score(list.batch);
    example.rows.forEach(({ position }, row) => {
      if (position === 0) return;
      const { weight } = list;
      engage.push({ logit: scores.engage[row], outcome: list.engage[row], weight });
      purchase.push({ logit: scores.purchase[row], outcome: list.purchase[row], weight });
    });
  }
  const heads = [
    await gradually(fitPlattGradually(engage), pause),
    await gradually(fitPlattGradually(purchase), pause),
  ] as const;
  foldInto(parameters, heads);
  const bytes = new Uint8Array(exportOnnx(shape, parameters));
  const { manifest: parent } = await bench.model("parent");
  const createdAt = new Date(startedAt * 1000).toISOString();
  const tape = {
    run: async (batch: FeatureBatch) => score(batch),
    release: async () => undefined,
  };
  const manifest = await manifestOf(shape, parameters, bytes, tape, {
    version: `recal-${createdAt.slice(0, 10)}-${id.slice(-12)}`,
    parent: parent.version,
    seed,
    createdAt,
    metrics: {},
    firstStage: parent.firstStage,
    dataWindow: {
      name: "training log",
      from: null,
      to: new Date(windows.calibration * 1000).toISOString(),
      events: plan.lists,
    },
  });
  await bench.putModel("candidate", manifest, bytes);
  return { engage: heads[0], purchase: heads[1], lists, version: manifest.version, bytes: bytes.byteLength };
}
