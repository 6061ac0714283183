import * as z from "zod";
import { parseJsonVariable } from "../shared/settings/parse-json-variable.ts";

const keepAwakeSettings = z.strictObject({
  /** Objects of an isolate that are kept awake at the same time. */
  objects: z.number().int().min(0).default(0),
  /** Seconds after its last call for which an object is kept awake. */
  seconds: z.number().positive().max(3600).default(300),
});
export type KeepAwakeSettings = z.infer<typeof keepAwakeSettings>;

/**
 * Returns `KEEP_AWAKE` of a worker's variables. By default no object is kept awake: on Cloudflare an object that is awake
 * costs its duration. Throws if the variable is invalid.
 */
export const keepAwakeSettingsOf = (variables: object): KeepAwakeSettings =>
  parseJsonVariable(variables, "KEEP_AWAKE", keepAwakeSettings);

/** Objects of an isolate that are kept awake now. */
export interface AwakeObjects {
  count: number;
}

/** The objects of this isolate. */
const ofIsolate: AwakeObjects = { count: 0 };

/** The time, and how to wait. Both in milliseconds. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<void>;
}

const systemClock: Clock = {
  now: Date.now,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * Keeps an object awake for a while after its last call, if few enough others are. The local runtime closes an object ten
 * seconds after its last call, and opens it again for the next one: that creates, synchronizes and deletes files, and costs
 * more than the call. Unfinished work (`waitUntil`) keeps an object open.
 */
export class KeepAwake {
  readonly #ctx: Pick<DurableObjectState, "waitUntil">;
  readonly #settings: KeepAwakeSettings;
  readonly #awake: AwakeObjects;
  readonly #clock: Clock;
  #isKept = false;
  /** When the object was called last, in milliseconds since the epoch. */
  #calledAt = 0;

  constructor(
    ctx: Pick<DurableObjectState, "waitUntil">,
    settings: KeepAwakeSettings,
    awake: AwakeObjects = ofIsolate,
    clock: Clock = systemClock,
  ) {
    this.#ctx = ctx;
    this.#settings = settings;
    this.#awake = awake;
    this.#clock = clock;
  }

  /** Must be called by each call of the object that another one is likely to follow. */
  called(): void {
    this.#calledAt = this.#clock.now();
    if (this.#isKept || this.#awake.count >= this.#settings.objects) return;
    this.#isKept = true;
    this.#awake.count++;
    this.#ctx.waitUntil(this.#untilIdle());
  }

  async #untilIdle(): Promise<void> {
    try {
      for (;;) {
        const left = this.#calledAt + this.#settings.seconds * 1000 - this.#clock.now();
        if (left <= 0) return;
        await this.#clock.wait(left);
      }
    } finally {
      this.#isKept = false;
      this.#awake.count--;
    }
  }
}
