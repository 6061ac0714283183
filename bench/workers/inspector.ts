const callTimeoutMs = 10_000;
const profileIntervalMicroseconds = 250;

/** A connection to the inspector of one isolate (Chrome DevTools Protocol). */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, { resolve(result: object): void; reject(error: Error): void }>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#onMessage(String(data)));
    socket.addEventListener("close", () => {
      for (const { reject } of this.#pending.values())
        reject(new Error("The inspector closed the connection: its isolate has ended."));
    });
  }

  /**
   * Connects to an inspector. Tries twice, since an isolate may drop the first connection; rejects if both tries fail.
   */
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
      socket.addEventListener("error", () => reject(new Error(`No inspector answers at ${url}.`)), {
        once: true,
      });
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

  /** Calls a method of the protocol. Rejects if the isolate returns an error or does not answer within ten seconds. */
  call(method: string, params: object = {}): Promise<object> {
    const id = ++this.#lastId;
    return new Promise<object>((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`The inspector did not answer ${method} within ${callTimeoutMs / 1000} s.`));
      }, callTimeoutMs);
      const afterClearingTimeout =
        <T>(callback: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timeout);
          callback(value);
        };
      this.#pending.set(id, { resolve: afterClearingTimeout(resolve), reject: afterClearingTimeout(reject) });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

const bytesPerMegabyte = 1024 * 1024;

/**
 * Memory of one isolate in MB: its JavaScript heap, and its buffers outside the heap. The memory of WebAssembly is not
 * included, since V8 does not count it.
 */
export interface IsolateMemory {
  heap: number;
  buffers: number;
}

/**
 * Memory limit of an isolate in MB, above which Cloudflare ends it, and the targets of this project: for what is alive, and for
 * the 99th percentile of all, with what is not collected yet.
 */
export const isolateMegabytes = { limit: 128, target: 100, p99: 110 } as const;

/** Returns the sum of heap and buffers in MB. */
export const totalMegabytes = ({ heap, buffers }: IsolateMemory): number => heap + buffers;

async function readHeapUsage(inspector: Inspector): Promise<IsolateMemory> {
  const usage = (await inspector.call("Runtime.getHeapUsage")) as {
    usedSize: number;
    embedderHeapUsedSize?: number;
    backingStorageSize?: number;
  };
  return {
    heap: (usage.usedSize + (usage.embedderHeapUsedSize ?? 0)) / bytesPerMegabyte,
    buffers: (usage.backingStorageSize ?? Number.NaN) / bytesPerMegabyte,
  };
}

/** Returns the memory of an isolate, including garbage that is not collected yet. */
export async function measureMemory(url: string): Promise<IsolateMemory> {
  const inspector = await Inspector.connect(url);
  try {
    return await readHeapUsage(inspector);
  } finally {
    inspector.close();
  }
}

/** Bytes between two samples of the heap profiler: large enough that it takes no sample. */
const samplingIntervalBytes = 2 ** 30;

/**
 * Returns the memory of live objects in an isolate. Collects garbage first, which takes 20 to 100 ms of the isolate's
 * thread.
 *
 * The heap profiler collects garbage each time its profile is read. `HeapProfiler.collectGarbage` cannot be used, since
 * it waits for a task that workerd never runs. Garbage is collected twice, because buffers are freed outside the
 * thread, at the latest before the next collection. All calls are sent at once, so that no request allocates memory
 * between them.
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

/** Records a CPU profile of an isolate until `work` has ended. Returns the text of a .cpuprofile file. */
export async function recordCpuProfile(url: string, work: Promise<unknown>): Promise<string> {
  const inspector = await Inspector.connect(url);
  try {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: profileIntervalMicroseconds });
    await inspector.call("Profiler.start");
    await work;
    const { profile } = (await inspector.call("Profiler.stop")) as { profile: object };
    return JSON.stringify(profile);
  } finally {
    inspector.close();
  }
}
