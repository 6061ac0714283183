import { Random } from "../../model/train/random.ts";

/** Where something can fail. */
export type Part = "queue" | "records" | "database" | "cells" | "catalogue" | "log" | "tiles" | "session";

/**
 * Decides, by a seed, which call fails: before its work, or after it, when nobody can know that it was done. A part that
 * is out of order fails always.
 */
export class Faults {
  #random = new Random(1);
  #share = 0;
  readonly #out = new Set<Part>();

  /** From now on so many calls of a hundred fail. */
  begin(seed: number, percent: number): void {
    this.#random = new Random(seed);
    this.#share = percent / 100;
    this.#out.clear();
  }

  /** Nothing fails any more. */
  end(): void {
    this.#share = 0;
    this.#out.clear();
  }

  outOfOrder(part: Part, out: boolean): void {
    if (out) this.#out.add(part);
    else this.#out.delete(part);
  }

  async through<T>(part: Part, work: () => T | Promise<T>): Promise<T> {
    if (this.#out.has(part)) throw new Error(`${part} is out of order`);
    if (this.#random.next() >= this.#share) return work();
    if (this.#random.next() < 0.5) throw new Error(`${part} failed before its work`);
    await work();
    throw new Error(`${part} failed after its work`);
  }

  /** The same port, some of whose methods may fail. */
  around<P extends object>(part: Part, port: P, methods: readonly (keyof P & string)[]): P {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const call = (...given: unknown[]): unknown => value.apply(target, given);
        return methods.some((each) => each === name)
          ? (...given: unknown[]) => this.through(part, () => call(...given))
          : call;
      },
    });
  }
}

/** What all ports of one test file share: objects and tests run in one isolate. */
export const faults = new Faults();

/** A message under way. */
export interface UnderWay {
  queue: "interactions" | "locations";
  body: unknown;
  attempts: number;
}

/** Messages under way, to be delivered in any order, more than once, or never. */
export const underWay: UnderWay[] = [];

const queueOf = (queue: UnderWay["queue"]): Queue => {
  const send = (body: unknown) =>
    faults.through("queue", () => {
      // As it crosses: a copy.
      underWay.push({ queue, body: structuredClone(body), attempts: 0 });
    });
  const sendBatch = async (messages: Iterable<{ body: unknown }>) => {
    for (const { body } of messages) await send(body);
  };
  return { send, sendBatch } as unknown as Queue;
};
export const queues = { interactions: queueOf("interactions"), locations: queueOf("locations") };
