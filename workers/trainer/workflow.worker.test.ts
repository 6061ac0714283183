/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hash53 } from "../../model/columns/hash.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import { isHeldOut } from "../../model/recalibrate/example-summary.ts";
import { gateConfiguration } from "../../model/recalibrate/gate.ts";
import { outcomeByUtility, syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import type { StepRunner } from "./recalibrate.ts";
import { migrateDatabase } from "./testing/database.ts";
import { runRecalibration, servingWeights } from "./testing/run-recalibration.ts";

const { TRAINING_LOG: bucket } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const until = Date.UTC(2026, 0, 20, 12) / 1000;
const log = { examples: 800, users: 120, seed: 3, until, shift: 2 };

/** Settings for a small log: a larger evaluation window, and several parts per chunk. */
const quick = { epochs: 3, minSteps: 0, evaluationShare: 0.25, bytesPerPart: 1_000_000 };

beforeAll(migrateDatabase);

let names = 0;
/** Runs a recalibration on the given log lines, in an application of its own. */
async function recalibrateOn(
  lines: readonly Record<string, unknown>[],
  step?: StepRunner,
  erased?: ReadonlyMap<string, number>,
) {
  const application = `app-${names++}`;
  await writeLog(bucket, application, lines);
  return runRecalibration(bucket, application, until + 60, quick, step, erased);
}

describe("recalibrate", () => {
  const healthy = syntheticLog(servingWeights, log);

  it("registers a candidate that is significantly better after behavior has changed", async () => {
    const { record, candidate, registered } = await recalibrateOn(healthy);
    expect(record.reasons).toEqual([]);
    expect(record).toMatchObject({ status: "registered", progress: 1, parent: candidate?.manifest.parent });
    expect(registered.map(({ version }) => version)).toEqual([candidate?.manifest.version]);
    const { comparison, calibration } = record.figures as never as {
      comparison: { gain: { mean: number; interval: number[] }; slices: object };
      calibration: { engage: { before: number; after: number } };
    };
    expect(comparison.gain.interval[0]).toBeGreaterThan(0);
    expect(Object.keys(comparison.slices)).toEqual(expect.arrayContaining(["country NO", "country PE"]));
    expect(calibration.engage.after).toBeLessThanOrEqual(calibration.engage.before);
  });

  it("trains more epochs on a small log, since three epochs hardly change the model", async () => {
    const small = syntheticLog(servingWeights, { ...log, examples: 320 });
    const gainAfter = async (minSteps: number): Promise<number> => {
      const application = `app-${names++}`;
      await writeLog(bucket, application, small);
      const { record } = await runRecalibration(bucket, application, until + 60, { ...quick, minSteps });
      return (record.figures as never as { comparison: { gain: { mean: number } } }).comparison.gain.mean;
    };
    expect(await gainAfter(120)).toBeGreaterThan(2 * (await gainAfter(0)));
  });

  it("chooses the weight of what was not shown by lists whose order was drawn, if it has enough", async () => {
    const drawn = syntheticLog(servingWeights, { ...log, drawnShare: 0.4 });
    const application = `app-${names++}`;
    await writeLog(bucket, application, drawn);
    const settings = { ...quick, minDrawnLists: 50, unshownWeights: [0.3, 0, 1] };
    const { record } = await runRecalibration(bucket, application, until + 60, settings);
    const { unshown, examination } = record.figures as never as {
      unshown: { unshownWeight: number; chosenBy: string; trials: { weight: number; quality: number }[] };
      examination: { drawnLists: number; examined: number[] };
    };
    expect(unshown.chosenBy).toBe("drawn lists");
    expect(unshown.trials.map(({ weight }) => weight)).toEqual([0.3, 0, 1]);
    const best = Math.max(...unshown.trials.map(({ quality }) => quality));
    expect(unshown.trials.find(({ quality }) => quality === best)?.weight).toBe(unshown.unshownWeight);
    expect(examination.drawnLists).toBeGreaterThan(200);
    // Users look at position k with the probability 1 / sqrt(k).
    expect(Math.abs(examination.examined[3] - 0.5)).toBeLessThan(0.15);
    const few = await recalibrateOn(healthy);
    expect(few.record.figures.unshown).toEqual({
      ...{ unshownWeight: 0.1, chosenBy: "first setting", trials: [] },
    });
  });

  it("learns nothing from users who are held out, and judges by them", async () => {
    const isHeld = ({ pseudonym }: Record<string, unknown>): boolean =>
      isHeldOut(hash53(String(pseudonym).slice(0, 16)), 0.2);
    // Their outcomes say the opposite: all that was not chosen was chosen.
    const opposed = healthy.map((line) =>
      isHeld(line)
        ? {
            ...line,
            rows: (line.rows as { position: number; outcome: unknown }[]).map((row) => ({
              ...row,
              outcome: row.position > 0 && row.outcome === null ? "click" : null,
            })),
          }
        : line,
    );
    expect(opposed.filter(isHeld).length).toBeGreaterThan(80);
    const settings = {
      ...quick,
      gate: gateConfiguration.parse({ holdoutShare: 0.2, forced: true, maxEngagementRate: 1 }),
    };
    const [usual, other] = await Promise.all(
      [healthy, opposed].map(async (lines) => {
        const application = `app-${names++}`;
        await writeLog(bucket, application, lines);
        return runRecalibration(bucket, application, until + 60, settings);
      }),
    );
    expect(other.candidate?.bytes).toEqual(usual.candidate?.bytes);
    const gainOf = ({ record }: typeof usual): number =>
      (record.figures as never as { comparison: { gain: { mean: number } } }).comparison.gain.mean;
    expect(gainOf(other)).toBeLessThan(gainOf(usual));
  });

  it("trains the same candidate wherever it is interrupted, and repeats no finished step", async () => {
    const undisturbed = await recalibrateOn(healthy);
    const application = `app-${names++}`;
    await writeLog(bucket, application, healthy);
    const results = new Map<string, unknown>();
    const finished: string[] = [];
    /** Remembers results as a Workflow does, and fails once in every step: in half of the steps after the work. */
    const failingOnce = (failedSteps: Set<string>): StepRunner => ({
      async do<T>(name: string, _config: unknown, work: () => Promise<T>): Promise<T> {
        if (results.has(name)) return structuredClone(results.get(name)) as T;
        const late = failedSteps.size % 2 === 0;
        const first = !failedSteps.has(name);
        failedSteps.add(name);
        if (first && !late) throw new Error("killed");
        const result = await work();
        if (first) throw new Error("killed");
        finished.push(name);
        results.set(name, structuredClone(result));
        return result;
      },
    });
    const failedSteps = new Set<string>();
    for (;;) {
      try {
        const { record, candidate } = await runRecalibration(
          bucket,
          application,
          until + 60,
          quick,
          failingOnce(failedSteps),
        );
        expect(record.status).toBe("registered");
        expect(candidate?.bytes).toEqual(undisturbed.candidate?.bytes);
        break;
      } catch (error) {
        if (!String(error).includes("killed")) throw error;
      }
    }
    expect(new Set(finished).size).toBe(finished.length);
    expect(failedSteps.size).toBeGreaterThan(6);
  });
});

describe("recalibrate refuses", () => {
  const healthy = syntheticLog(servingWeights, log);
  const rowsIn = (line: Record<string, unknown>) =>
    line.rows as { outcome: string | null; position: number }[];
  const withRows = (change: (row: { outcome: string | null; position: number }, i: number) => object) =>
    healthy.map((line) => ({ ...line, rows: rowsIn(line).map((row, i) => ({ ...row, ...change(row, i) })) }));

  const damages: [string, RegExp, () => Record<string, unknown>[]][] = [
    ["an empty log", /examples/, () => []],
    ["too few examples", /examples/, () => healthy.slice(0, 100)],
    [
      "random outcomes",
      /gain|meaning/,
      () => syntheticLog(servingWeights, log, (_, r) => (r.next() < 0.15 ? "click" : null)),
    ],
    [
      "reversed outcomes",
      /meaning/,
      () => syntheticLog(servingWeights, log, (utility, random) => outcomeByUtility(-utility, random)),
    ],
    [
      "purchases as the only outcomes",
      /engagement/,
      () => withRows(({ position }) => ({ outcome: position > 0 ? "purchase" : null })),
    ],
    ["a log without outcomes", /engagement/, () => withRows(() => ({ outcome: null }))],
    [
      "a log in which one user has half of the lines",
      /one person/,
      () => healthy.map((line, i) => (i % 2 ? { ...line, pseudonym: "f".repeat(64) } : line)),
    ],
    ...([0x7c00, 0x7e00, 0x5c00] as const).map((half): [string, RegExp, () => Record<string, unknown>[]] => [
      `infinite, NaN or very large features (${half.toString(16)})`,
      /whole lines/,
      () =>
        healthy.map((line, i) =>
          i % 10 ? line : { ...line, features: poisoned(String(line.features), half) },
        ),
    ]),
    [
      "an evaluation window in which users choose almost everything",
      /engagement/,
      () => healthy.map((line, i) => (i < 600 ? line : { ...line, rows: chosen(rowsIn(line)) })),
    ],
    [
      "truncated lines",
      /whole lines/,
      () =>
        healthy.map((line, i) =>
          i % 10 ? line : { kind: "example", pseudonym: line.pseudonym, generation: 0 },
        ),
    ],
    [
      "features of another version",
      /examples/,
      () => healthy.map((line) => ({ ...line, featureHash: "else" })),
    ],
    [
      "reversed outcomes in the training window",
      /gain/,
      () => {
        // Only the training window is reversed; the newest outcomes are true.
        const worst = syntheticLog(servingWeights, log, (utility, random) =>
          outcomeByUtility(-utility, random),
        );
        return [...worst.slice(0, 600), ...healthy.slice(600)];
      },
    ],
  ];

  it.each(damages)("%s", async (_name, reason, lines) => {
    const { record, registered } = await recalibrateOn(lines());
    expect(record.status).toBe("refused");
    expect(record.reasons.join("\n")).toMatch(reason);
    expect(registered).toEqual([]);
  });

  it("a log whose users are all erased, though their lines are still in the log", async () => {
    const erased = new Map(healthy.map(({ pseudonym }) => [String(pseudonym), 0]));
    const { record, registered } = await recalibrateOn(healthy, undefined, erased);
    expect(record).toMatchObject({ status: "refused", reasons: [expect.stringMatching(/examples/)] });
    expect(registered).toEqual([]);
  });

  it("an application without a log of its own", async () => {
    const other = `app-${names++}`;
    await writeLog(bucket, other, healthy);
    const { record, registered } = await recalibrateOn([]);
    expect(record).toMatchObject({ status: "refused", reasons: [expect.stringMatching(/examples/)] });
    expect(registered).toEqual([]);
  });

  /** Returns packed features whose first dense feature is replaced by a half-precision number. */
  function poisoned(features: string, half: number): string {
    const bytes = Uint8Array.from(atob(features), (each) => each.charCodeAt(0));
    new DataView(bytes.buffer).setUint16(firstDense, half, true);
    return btoa(String.fromCharCode(...bytes));
  }

  function chosen(rows: { position: number }[]): object[] {
    return rows.map((row) => ({ ...row, outcome: row.position > 0 ? "click" : null }));
  }
});

/**
 * Byte offset of the first row's dense features, behind the header and the events: see
 * `model/features/pack-features.ts`.
 */
const firstDense = 14 + 2 * featureShape.history * featureShape.event.length;
