import { retryAtRate } from "../r2/put-at-rate.ts";
import { type DayManifest, replaceManifest, type StoredManifest } from "./day-manifest.ts";
import type { LogBucket } from "./log-bucket.ts";

/** R2 takes one write a second to one key. */
const minWriteIntervalMs = 1100;

/** A time that can be waited for. */
export interface Clock {
  /** Seconds since the Unix epoch. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
}

/** The clock of the platform. */
export const platformClock: Clock = {
  now: () => Date.now() / 1000,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Reports that another run changed what this run works on. */
export class OtherRunError extends Error {
  constructor(day: string) {
    super(`Another run compacts the training log of ${day}; this run leaves the day to it.`);
  }
}

/** Writes the manifests of an application, each at most once a second. */
export class ManifestWriter {
  readonly #bucket: LogBucket;
  readonly #application: string;
  readonly #clock: Clock;
  /** When each day's manifest was last written, in seconds since the Unix epoch. */
  readonly #written = new Map<string, number>();

  constructor(bucket: LogBucket, application: string, clock: Clock) {
    this.#bucket = bucket;
    this.#application = application;
    this.#clock = clock;
  }

  /** Stores a manifest in place of an earlier one. Throws {@link OtherRunError} if another one is stored meanwhile. */
  async replace(day: string, earlier: StoredManifest, next: DayManifest): Promise<StoredManifest> {
    const elapsed = (this.#clock.now() - (this.#written.get(day) ?? Number.NEGATIVE_INFINITY)) * 1000;
    if (elapsed < minWriteIntervalMs) await this.#clock.wait(minWriteIntervalMs - elapsed);
    const stored = await retryAtRate(
      () => replaceManifest(this.#bucket, this.#application, day, earlier, next),
      this.#clock.wait,
    );
    this.#written.set(day, this.#clock.now());
    if (stored === null) throw new OtherRunError(day);
    return stored;
  }
}
