import { beforeAll, describe, expect, it } from "vitest";
import bundled from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { packFeatures, unpackFeatures } from "../../../model/features/pack-features.ts";
import { readParameters } from "../../../model/onnx/read-parameters.ts";
import { syntheticLog } from "../../../model/recalibrate/testing/synthetic-log.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { writeLog } from "../../../shared/training-log/testing/write-log.ts";
import {
  database,
  environmentWithRollout,
  migrateRegistry,
  registerRandomModel,
  trainingLog,
} from "../testing/models.ts";
import { bundledModelManifest } from "./bundled-model.ts";
import { recordDrift, recordDueDrift } from "./drift.ts";
import { ModelRegistry } from "./model-registry.ts";

const environment = environmentWithRollout({});
const day = 86_400;
const monday = Date.UTC(2026, 0, 5, 12) / 1000;

const weights = () => {
  const parameters = readParameters(featureShape, new Uint8Array(bundled));
  if (parameters === null) throw new Error("the bundled model has another architecture");
  return parameters;
};
/** Returns half a day of examples that a version served; feature `moved` is shifted by 2. */
function linesOf(version: string, until: number, seed: number, moved: string | null) {
  const at = moved === null ? -1 : featureShape.dense.indexOf(moved);
  return syntheticLog(weights(), { examples: 200, users: 50, seed, until, shift: 0 }).map((line) => {
    const bytes = Uint8Array.from(atob(String(line.features)), (each) => each.charCodeAt(0));
    const batch = unpackFeatures(featureShape, bytes);
    if (batch === null || at < 0) return { ...line, modelVersion: version };
    for (let row = 0; row < batch.count; row++) batch.dense[row * featureShape.dense.length + at] += 2;
    const indices = Array.from({ length: batch.count }, (_, i) => i);
    const packed = packFeatures(featureShape, batch, indices);
    return { ...line, modelVersion: version, features: btoa(String.fromCharCode(...packed)) };
  });
}
const driftOf = async (application: string, version: string) => {
  const details = unwrap(await new ModelRegistry(environment, application).details(version), "the registry");
  return details.drift;
};

beforeAll(migrateRegistry);

describe("drift", () => {
  it("reports moved features, scores, calibration and click rates by position, per day and version", async () => {
    const application = "drifting";
    await registerRandomModel(environment, application, "v1", 1, monday);
    await writeLog(trainingLog, application, linesOf("v1", monday, 1, null));
    await recordDrift(environment, application, monday, monday);
    await writeLog(trainingLog, application, linesOf("v1", monday + day, 2, "discount"));
    await recordDrift(environment, application, monday + day, monday + day);
    const [second, first, ...more] = await driftOf(application, "v1");
    expect(more).toEqual([]);
    expect([first.day, second.day]).toEqual(["2026-01-05", "2026-01-06"]);
    expect(first.examples).toBe(200);
    expect(Object.values(first.stability).every((index) => index === 0)).toBe(true);
    expect(Object.keys(second.stability)).toEqual([...featureShape.dense]);
    expect(second.stability.discount).toBeGreaterThan(0.25);
    const others = Object.entries(second.stability).filter(([name]) => name !== "discount");
    expect(others.filter(([, index]) => index > 0.1)).toEqual([]);
    expect(second.score.p10).toBeLessThanOrEqual(second.score.p50);
    expect(second.score.p50).toBeLessThanOrEqual(second.score.p90);
    expect(second.calibration.error).toBeGreaterThanOrEqual(
      Math.abs(second.calibration.said - second.calibration.came) - 1e-9,
    );
    expect(second.positions.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    // In this log, users click the first position most.
    expect(second.positions[0].rate).toBeGreaterThan(second.positions[9].rate);
  });

  it("reports the bundled model for an application without a registered model", async () => {
    const application = "without-models";
    const { version } = bundledModelManifest;
    await writeLog(trainingLog, application, linesOf(version, monday, 4, null));
    for (let i = 0; i < 10 && (await recordDueDrift(environment, monday + 60)) !== null; i++);
    const details = await new ModelRegistry(environment, application).details(version);
    expect(details).toMatchObject({
      ok: true,
      value: { status: "serving", changes: [], drift: [{ day: "2026-01-05", examples: 200 }] },
    });
    await registerRandomModel(environment, application, "v1", 1, monday);
    expect(await new ModelRegistry(environment, application).details(version)).toMatchObject({
      ok: true,
      value: { status: "retired" },
    });
  });

  it("is computed each hour of a day and once after its end, with the same result each time", async () => {
    const application = "due";
    await registerRandomModel(environment, application, "v1", 1, monday);
    await writeLog(trainingLog, application, linesOf("v1", monday, 3, null));
    const due = async (now: number) => {
      const computed: string[] = [];
      // Each call computes one day of one application; other applications of this file are due too.
      for (let i = 0; i < 10; i++) {
        const application = await recordDueDrift(environment, now);
        if (application === null) break;
        computed.push(application);
      }
      return computed.filter((each) => each === application).length;
    };
    // The current day and the day before are due.
    expect(await due(monday + 100)).toBe(2);
    expect(await due(monday + 200)).toBe(0);
    expect(await due(monday + 3800)).toBe(1);
    const before = await driftOf(application, "v1");
    await recordDrift(environment, application, monday, monday + 4000);
    expect(await driftOf(application, "v1")).toEqual(before);
    expect(before).toHaveLength(1);
    // On the next day, that day and the final result of this day are due.
    expect(await due(monday + day)).toBe(2);
    expect(await due(monday + day + 10)).toBe(0);
  });

  it("deletes old days, except the first day, which is the reference", async () => {
    const application = "old";
    await registerRandomModel(environment, application, "v1", 1, monday);
    for (const [i, after] of [0, 1, 100].entries()) {
      await writeLog(trainingLog, application, linesOf("v1", monday + after * day, 10 + i, null));
      await recordDrift(environment, application, monday + after * day, monday + after * day);
    }
    expect((await driftOf(application, "v1")).map(({ day: name }) => name)).toEqual([
      "2026-04-15",
      "2026-01-05",
    ]);
    const { results } = await database
      .prepare("SELECT day FROM drift WHERE application = ? AND version = '~'")
      .bind(application)
      .all();
    expect(results).toHaveLength(1);
  });
});
