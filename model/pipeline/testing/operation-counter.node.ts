import { Session } from "node:inspector/promises";

/** Methods of arrays that visit elements without a call of our code. */
const builtIns = [
  "concat",
  "includes",
  "indexOf",
  "lastIndexOf",
  "shift",
  "slice",
  "splice",
  "unshift",
] as const;

/**
 * Counts operations: how often each function and each block of the code in `model` and `shared` runs, and how many
 * elements the methods of arrays visit. V8 counts the blocks exactly (precise coverage), so the same work gives the same
 * number on every machine. Comparisons of a sort are calls of our code, and count.
 */
export class OperationCounter {
  readonly #session: Session;
  readonly #originals = builtIns.map((name) => [name, Array.prototype[name]] as const);
  #visited = 0;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Starts to count. V8 counts the blocks of functions that it compiles from now on: call it before the work runs. */
  static async start(): Promise<OperationCounter> {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return new OperationCounter(session);
  }

  /** Returns the number of operations of `work`. */
  async count(work: () => Promise<unknown>): Promise<number> {
    await this.#takeBlocks();
    this.#visited = 0;
    this.#replaceBuiltIns();
    try {
      await work();
    } finally {
      this.#restoreBuiltIns();
    }
    return this.#visited + (await this.#takeBlocks());
  }

  async stop(): Promise<void> {
    await this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  /** Returns how often blocks ran since the last call. */
  async #takeBlocks(): Promise<number> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    let blocks = 0;
    for (const { url, functions } of result)
      if (/\/(model|shared)\//.test(url) && !url.includes("node_modules"))
        for (const { ranges } of functions) for (const { count } of ranges) blocks += count;
    return blocks;
  }

  /** Replaces the built-in methods by ones that count the elements of their arrays. */
  #replaceBuiltIns(): void {
    const add = (elements: number): void => {
      this.#visited += elements;
    };
    for (const [name, original] of this.#originals)
      Reflect.set(Array.prototype, name, function (this: unknown[], ...args: unknown[]) {
        add(this.length);
        return Reflect.apply(original, this, args);
      });
  }

  #restoreBuiltIns(): void {
    for (const [name, original] of this.#originals) Reflect.set(Array.prototype, name, original);
  }
}
