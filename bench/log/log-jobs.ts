import { featureShape } from "../../model/features/compute-features.ts";
import { ok } from "../../shared/contracts/result.ts";
import { LogCompaction } from "../../shared/training-log/compact-log.ts";
import { eraseFromLog } from "../../shared/training-log/erase-user.ts";
import type { LogBucket } from "../../shared/training-log/log-bucket.ts";
import type { Clock } from "../../shared/training-log/manifest-writer.ts";
import type { BucketCounts } from "../../shared/training-log/testing/memory-bucket.ts";
import { driftReadLimits, readNewestExamples } from "../../workers/recommendation/gate/newest-examples.ts";
import { ArtifactStore } from "../../workers/trainer/artifacts.ts";
import { recalibrationSettings } from "../../workers/trainer/settings.ts";
import { type CollectContext, collect, firstChunk } from "../../workers/trainer/steps/collect.ts";
import { application } from "./log-traffic.ts";

/** What the steps of a job did. */
export interface JobFigures {
  steps: number;
  /** Largest counts of one step. */
  maxListed: number;
  maxCalls: number;
  /** Sums of all steps. */
  reads: number;
  writes: number;
  bytesRead: number;
  /** What the job found: examples of `collect` and drift, removed lines of an erasure. */
  found: number;
}

/** A bucket whose counts since the last call of `takeCounts` can be taken. */
export interface MeteredBucket extends LogBucket {
  takeCounts(): Promise<BucketCounts>;
}

/** The jobs that read and write the training log, each measured step by step. */
export class LogJobs {
  readonly #bucket: MeteredBucket;
  /** Called after each step. */
  readonly #afterStep: () => void;

  constructor(bucket: MeteredBucket, afterStep: () => void = () => undefined) {
    this.#bucket = bucket;
    this.#afterStep = afterStep;
  }

  /** Runs steps until one returns null; the others return what they found. */
  async #measure(step: () => Promise<number | null>): Promise<JobFigures> {
    const figures: JobFigures = {
      ...{ steps: 0, maxListed: 0, maxCalls: 0, reads: 0, writes: 0, bytesRead: 0, found: 0 },
    };
    await this.#bucket.takeCounts();
    for (let ended = false; !ended; ) {
      const found = await step();
      const { listed, calls, reads, writes, bytesRead } = await this.#bucket.takeCounts();
      figures.steps++;
      figures.maxListed = Math.max(figures.maxListed, listed);
      figures.maxCalls = Math.max(figures.maxCalls, calls);
      figures.reads += reads;
      figures.writes += writes;
      figures.bytesRead += bytesRead;
      figures.found += found ?? 0;
      ended = found === null;
      this.#afterStep();
    }
    return figures;
  }

  /** Compacts at a time, in seconds since the Unix epoch, until nothing is due. */
  async compact(time: number): Promise<JobFigures> {
    let now = time;
    const clock: Clock = {
      now: () => now,
      wait: async (milliseconds) => {
        now += milliseconds / 1000;
      },
    };
    const compaction = new LogCompaction(this.#bucket, application, clock);
    return this.#measure(async () => ((await compaction.step()) ? 0 : null));
  }

  /** Collects the examples of a recalibration that starts at a time, by its steps. */
  async collect(startedAt: number): Promise<JobFigures> {
    const context: CollectContext = {
      env: { TRAINING_LOG: this.#bucket, USER: noTombstones },
      ...{ application, startedAt, settings: recalibrationSettings.parse({}) },
      artifacts: new ArtifactStore(this.#bucket, application, "run"),
      pause: async () => undefined,
    };
    let position = firstChunk(context);
    let parts = 0;
    let chunks = 0;
    return this.#measure(async () => {
      if (position === null) return null;
      const collected = await collect(context, chunks++, position, parts);
      ({ next: position, parts } = collected);
      return collected.examples;
    });
  }

  /** Reads what the drift of a day is computed from. `at` is a time within the day. */
  async drift(at: number): Promise<JobFigures> {
    let hasRead = false;
    return this.#measure(async () => {
      if (hasRead) return null;
      hasRead = true;
      const env = { TRAINING_LOG: this.#bucket, USER: noTombstones };
      const { examples } = await readNewestExamples(env, application, featureShape, driftReadLimits, at);
      return examples.length;
    });
  }

  /** Erases a user from the log, by their name in it. */
  async erase(pseudonym: string, objectsPerStep: number): Promise<JobFigures> {
    let after: string | null = null;
    let ended = false;
    return this.#measure(async () => {
      if (ended) return null;
      const scan = { application, pseudonym, after, limit: objectsPerStep };
      const { removed, next }: { removed: number; next: string | null } = await eraseFromLog(
        this.#bucket,
        scan,
        0,
      );
      after = next;
      ended = next === null;
      return removed;
    });
  }
}

const noTombstones = { findTombstones: async () => ok([]) };
