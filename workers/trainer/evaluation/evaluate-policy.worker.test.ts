/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { featureShape } from "../../../model/features/compute-features.ts";
import { unpackFeatures } from "../../../model/features/pack-features.ts";
import { finalScores } from "../../../model/pipeline/final-scores.ts";
import { syntheticLog } from "../../../model/recalibrate/testing/synthetic-log.ts";
import { scoreByTape } from "../../../model/train/train.ts";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import type { Evaluation, EvaluationInput } from "../../../shared/contracts/evaluation.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { rateLimitedBucket } from "../../../shared/testing/platform/rate-limited-r2.ts";
import { writeLog } from "../../../shared/training-log/testing/write-log.ts";
import type { StepRunner } from "../recalibrate.ts";
import { recalibrationSettings } from "../settings.ts";
import { database, migrateDatabase } from "../testing/database.ts";
import { servingWeights } from "../testing/run-recalibration.ts";
import { evaluatePolicy } from "./evaluate-policy.ts";
import { evaluationArtifacts } from "./evaluations.ts";
import { EvaluationStore } from "./store.ts";

const { TRAINING_LOG: bucket } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const until = Date.UTC(2026, 0, 20, 12) / 1000;
const records = new EvaluationStore(database, "this process");
/** Remembers nothing. */
const plainRunner: StepRunner = { do: (_name, _config, work) => work() };
const reversed = "f".repeat(64);

beforeAll(migrateDatabase);

/** Evaluates a policy on the log of an application. The model in question orders the candidates in reverse. */
async function evaluate(
  application: string,
  input: Partial<EvaluationInput>,
  step: StepRunner = plainRunner,
  erased: readonly string[] = [],
): Promise<Evaluation> {
  const record: Evaluation = {
    ...{ id: "one", status: "queued", step: "queued", progress: 0, result: null, reasons: [] },
    ...{ startedAt: toInstant(until), updatedAt: toInstant(until), input: { days: 2, ...input } },
  };
  await records.add(application, record);
  const scoreLists = async (_application: string, _sha256: string, packs: Uint8Array[]) =>
    ok(
      packs.map((pack) => {
        const batch = unpackFeatures(featureShape, pack);
        if (batch === null) throw new Error("the features of a list do not have this shape");
        return finalScores(scoreByTape(featureShape, servingWeights, batch)).map((score) => 1 / score);
      }),
    );
  const limited = rateLimitedBucket(bucket);
  await evaluatePolicy(
    {
      ...{ application, id: "one", startedAt: until + 60, input: record.input, records },
      env: {
        TRAINING_LOG: limited,
        USER: {
          findTombstones: async () =>
            ok(erased.map((pseudonym) => ({ pseudonym, generation: 1, mergedGeneration: 0 }))),
        },
        RECOMMENDATION: { scoreLists },
      },
      modelSha256: input.model === undefined ? null : reversed,
      settings: recalibrationSettings.parse({ bytesPerPart: 200_000 }),
      artifacts: evaluationArtifacts(limited, application, "one"),
      pause: yieldToEventLoop,
    },
    step,
  );
  const found = await records.find(application, "one");
  if (found === null) throw new Error("the evaluation has no record");
  return found;
}

const log = { examples: 900, users: 150, seed: 4, until, shift: 0, rows: 11 };
/** All ranked products are in play. */
const explored = syntheticLog(servingWeights, { ...log, exploration: { rate: 0.5, depth: 1 } });

describe("evaluatePolicy", () => {
  it("finds that a model in reverse order gets fewer clicks", async () => {
    await writeLog(bucket, "reverse", explored);
    const { status, result, reasons, progress } = await evaluate("reverse", { model: "reversed" });
    expect(reasons).toEqual([]);
    expect(status).toBe("estimated");
    expect(progress).toBe(1);
    expect(result?.lists).toBe(900);
    for (const estimator of ["snips", "doublyRobust"] as const)
      expect(result?.clicks[estimator].difference.high).toBeLessThan(0);
    expect(result?.verdict).toContain("fewer clicks");
    // The positions are examined with the probability 1 / sqrt(k).
    expect(result?.examined[3]).toBeGreaterThan(0.35);
    expect(result?.examined[3]).toBeLessThan(0.7);
  });

  it("ends with the same result wherever it is interrupted, and repeats no finished step", async () => {
    await writeLog(bucket, "undisturbed", explored);
    await writeLog(bucket, "interrupted", explored);
    const input = { boost: { c1: 1.5 } };
    const undisturbed = await evaluate("undisturbed", input);
    expect(undisturbed.status).toBe("estimated");
    const results = new Map<string, unknown>();
    const finished: string[] = [];
    const failed = new Set<string>();
    /** Remembers results as a Workflow does, and fails once in every step, after its work. */
    const step: StepRunner = {
      async do<T>(name: string, _config: unknown, work: () => Promise<T>): Promise<T> {
        if (results.has(name)) return structuredClone(results.get(name)) as T;
        const result = await work();
        if (!failed.has(name)) {
          failed.add(name);
          throw new Error("killed");
        }
        finished.push(name);
        results.set(name, structuredClone(result));
        return result;
      },
    };
    let last: Evaluation | null = null;
    for (let run = 0; run < 40 && last === null; run++)
      last = await evaluate("interrupted", input, step).catch(() => null);
    expect(last?.result).toEqual(undisturbed.result);
    expect(finished).toHaveLength(new Set(finished).size);
    expect(finished.length).toBeGreaterThan(3);
  });

  it("reads no list of an erased user, and keeps nothing of users in its result", async () => {
    await writeLog(bucket, "erased", explored);
    const of = (line: Record<string, unknown>): string => String(line.pseudonym);
    const erased = [...new Set(explored.map(of))].slice(0, 30);
    const left = explored.filter((line) => !erased.includes(of(line)));
    const { result } = await evaluate("erased", { limit: 5 }, plainRunner, erased);
    expect(result?.lists).toBe(left.length);
    expect(left.length).toBeLessThan(explored.length);
    const text = JSON.stringify(result);
    expect(left.filter((line) => text.includes(of(line).slice(0, 16)))).toEqual([]);
  });

  it("refuses a log of an earlier version, and names the lists that it left out", async () => {
    await writeLog(bucket, "earlier", syntheticLog(servingWeights, log));
    const { status, result, reasons } = await evaluate("earlier", { diversity: 0.5 });
    expect(status).toBe("refused");
    expect(result).toBeNull();
    expect(reasons).toEqual([
      expect.stringContaining("lists:"),
      expect.stringContaining("users:"),
      "left out: 900 (earlier version)",
    ]);
  });

  it("refuses an empty log", async () => {
    expect(await evaluate("empty", { diversity: 0.5 })).toMatchObject({ status: "refused" });
  });
});
