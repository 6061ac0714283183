const timeoutMs = 10_000;

/** A connection to the inspector of one isolate (Chrome DevTools Protocol). */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, { resolve(result: object): void; reject(error: Error): void }>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#onMessage(String(data)));
    socket.addEventListener("close", () => {
      for (const { reject } of this.#pending.values()) reject(new Error("the inspector has gone"));
    });
  }

  /** Connects; rejects where nobody answers. The first connection to an isolate may be dropped: it is tried twice. */
  static async connect(url: string): Promise<Inspector> {
    try {
      const inspector = await Inspector.#connectOnce(url);
      await inspector.call("Runtime.getIsolateId");
      return inspector;
    } catch {
      return Inspector.#connectOnce(url);
    }
  }

  static #connectOnce(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve(new Inspector(socket)), { once: true });
      socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)), { once: true });
    });
  }

  #onMessage(text: string): void {
    const { id, result, error } = JSON.parse(text);
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    if (error) waiting.reject(new Error(error.message));
    else waiting.resolve(result);
  }

  /** Calls a method of the protocol; rejects where the isolate does not answer in time. */
  call(method: string, params: object = {}): Promise<object> {
    const id = ++this.#lastId;
    return new Promise<object>((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`the inspector does not answer ${method}`));
      }, timeoutMs);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timeout);
          settle(value);
        };
      this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

const megabyte = 1024 * 1024;

/**
 * Memory of one isolate in MB: its JavaScript heap, and the buffers that it holds beside it, without the memory of
 * WebAssembly, which V8 does not count.
 */
export interface IsolateMemory {
  heap: number;
  buffers: number;
}

/** What an isolate may have in MB: the platform ends one that has more; and what is aimed at. */
export const isolateMegabytes = { allowed: 128, aimed: 100 } as const;

/** All of it. */
export const totalMegabytes = ({ heap, buffers }: IsolateMemory): number => heap + buffers;

async function readHeapUsage(inspector: Inspector): Promise<IsolateMemory> {
  const usage = (await inspector.call("Runtime.getHeapUsage")) as {
    usedSize: number;
    embedderHeapUsedSize?: number;
    backingStorageSize?: number;
  };
  return {
    heap: (usage.usedSize + (usage.embedderHeapUsedSize ?? 0)) / megabyte,
    buffers: (usage.backingStorageSize ?? Number.NaN) / megabyte,
  };
}

/** Memory of an isolate, with what is not yet collected. */
export async function measureMemory(url: string): Promise<IsolateMemory> {
  const inspector = await Inspector.connect(url);
  try {
    return await readHeapUsage(inspector);
  } finally {
    inspector.close();
  }
}

/** More bytes than anybody allocates between two samples. */
const samplingIntervalBytes = 2 ** 30;

/**
 * Memory of what is alive in an isolate: all else is collected before, in 20 to 100 ms of its thread. The profiler of
 * the heap collects whenever it is asked for what it has; `HeapProfiler.collectGarbage` itself waits for a task that workerd
 * never runs. Twice, since buffers are freed beside the thread, at the latest before the next collection; and all in
 * one breath, so that nobody allocates meanwhile.
 */
export async function measureLiveMemory(url: string): Promise<IsolateMemory> {
  const inspector = await Inspector.connect(url);
  try {
    const [, , , , usage] = await Promise.all([
      inspector.call("HeapProfiler.enable"),
      inspector.call("HeapProfiler.startSampling", { samplingInterval: samplingIntervalBytes }),
      inspector.call("HeapProfiler.getSamplingProfile"),
      inspector.call("HeapProfiler.stopSampling"),
      readHeapUsage(inspector),
    ]);
    return usage;
  } finally {
    inspector.close();
  }
}

/** CPU profile of an isolate during some work, as the text of a .cpuprofile file. */
export async function recordCpuProfile(url: string, work: Promise<unknown>): Promise<string> {
  const inspector = await Inspector.connect(url);
  try {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: 250 });
    await inspector.call("Profiler.start");
    await work;
    const { profile } = (await inspector.call("Profiler.stop")) as { profile: object };
    return JSON.stringify(profile);
  } finally {
    inspector.close();
  }
}
