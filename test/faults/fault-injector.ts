import { Random } from "../../model/train/random.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { CallCounter } from "../../shared/testing/platform/call-counter.ts";
import { queueOf } from "../../shared/testing/queue-of.ts";

/** A dependency whose calls can fail. */
export type FaultyPart =
  | "queue"
  | "userService"
  | "database"
  | "locationService"
  | "productService"
  | "trainingLog"
  | "deadLetters"
  | "tiles"
  | "session";

/**
 * Makes calls fail at random, by a seed. A call fails before its work, or after it, which hides from the caller that
 * the work was done. A part with an outage always fails.
 */
export class FaultInjector {
  #random = new Random(1);
  /** Share of the calls that fail. */
  #failureShare = 0;
  readonly #outages = new Set<FaultyPart>();
  /** Calls that succeed before all calls fail; null if none fails for this reason. */
  #callsLeft: number | null = null;
  /** Whether the first call that fails has done its work. */
  #lastCallWorks = false;
  /** Calls by part since {@link stop}. */
  readonly calls = new Map<FaultyPart, number>();

  /** Makes a percentage of the calls fail, and ends all outages. */
  start(seed: number, percent: number): void {
    this.#random = new Random(seed);
    this.#failureShare = percent / 100;
    this.#outages.clear();
  }

  /** Ends all failures and outages. */
  stop(): void {
    this.#failureShare = 0;
    this.#outages.clear();
    this.#callsLeft = null;
    this.calls.clear();
  }

  /**
   * Makes all calls fail after the next `calls`. With `lastCallWorks`, the first of them does its work, and only its
   * answer is lost.
   */
  stopAfter(calls: number, lastCallWorks: boolean): void {
    this.#callsLeft = calls;
    this.#lastCallWorks = lastCallWorks;
  }

  /** Returns whether a call has failed since {@link stopAfter}. */
  get hasStopped(): boolean {
    return this.#callsLeft !== null && this.#callsLeft < 0;
  }

  setOutage(part: FaultyPart, isOut: boolean): void {
    if (isOut) this.#outages.add(part);
    else this.#outages.delete(part);
  }

  /** Runs the work of a call to a part, or fails before or after it. */
  async run<T>(part: FaultyPart, work: () => T | Promise<T>): Promise<T> {
    this.calls.set(part, (this.calls.get(part) ?? 0) + 1);
    if (this.#outages.has(part)) throw new Error(`${part} has an outage`);
    if (this.#callsLeft !== null && this.#callsLeft-- <= 0) {
      if (this.#callsLeft === -1 && this.#lastCallWorks) await work();
      throw new Error(`${part} is stopped`);
    }
    if (this.#random.next() >= this.#failureShare) return work();
    if (this.#random.next() < 0.5) throw new Error(`${part} failed before its work`);
    await work();
    throw new Error(`${part} failed after its work`);
  }

  /** Returns a proxy of a dependency, some of whose methods may fail. */
  wrap<P extends object>(part: FaultyPart, dependency: P, methods: readonly (keyof P & string)[]): P {
    return new Proxy(dependency, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const call = (...args: unknown[]): unknown => value.apply(target, args);
        return methods.some((method) => method === name)
          ? (...args: unknown[]) => this.run(part, () => call(...args))
          : call;
      },
    });
  }
}

/** Counts the calls of requests and batches, which the platform limits. */
export const counter = new CallCounter();

/** The faults of one test file. Durable Objects and tests run in one isolate, so they share this instance. */
export const faults = new FaultInjector();

/** The variable `DEFAULT_CONSENT` of users' objects that start from now on. */
export const defaultOfObjects: { consent: Precision } = { consent: "exact" };

/** A message that was sent and is not acknowledged. */
export interface QueuedMessage {
  queue: "interactions" | "locations";
  body: unknown;
  attempts: number;
}

/** The messages of both queues. A test delivers them in any order, more than once, or never. */
export const queuedMessages: QueuedMessage[] = [];

const faultyQueue = (queue: QueuedMessage["queue"]): Queue =>
  queueOf((body) =>
    faults.run("queue", () => {
      // A real queue serializes the body too.
      queuedMessages.push({ queue, body: structuredClone(body), attempts: 0 });
    }),
  );
export const queues = { interactions: faultyQueue("interactions"), locations: faultyQueue("locations") };
