// Runs the jobs of the training log in a thread whose heap is limited as an isolate's is, on a bucket in the main thread.
import { getHeapStatistics } from "node:v8";
import { parentPort } from "node:worker_threads";
import type { LogBucket, LogObject, LogObjectBody } from "../../shared/training-log/log-bucket.ts";
import type { BucketCounts } from "../../shared/training-log/testing/memory-bucket.ts";
import { LogJobs, type MeteredBucket } from "./log-jobs.ts";
import type { BucketCall, JobReport, JobRequest, ThreadMessage } from "./log-thread.ts";

const port = parentPort;
if (port === null) throw new Error("bench/log/log-worker.ts runs in a thread of its own");

/** Calls of the bucket between two samples of the memory. A sample collects what is not used any more. */
const callsPerSample = 211;

/** Returns the bytes that this thread uses, after a collection. */
function liveBytes(): number {
  globalThis.gc?.();
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return heap + buffers;
}

let maxBytes = 0;
const sample = (): void => {
  maxBytes = Math.max(maxBytes, liveBytes());
};

let calls = 0;
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();

function call<T>(method: BucketCall["method"], ...args: unknown[]): Promise<T> {
  const id = ++calls;
  if (id % callsPerSample === 0) sample();
  return new Promise<T>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    port?.postMessage({ call: { id, method, args } } satisfies ThreadMessage);
  });
}

/** The bucket of the main thread. */
const bucket: MeteredBucket = {
  list: (options) => call("list", options),
  head: (key) => call<LogObject | null>("head", key),
  async get(key) {
    const object = await call<(LogObject & { bytes: ArrayBuffer }) | null>("get", key);
    if (object === null) return null;
    const { bytes, ...rest } = object;
    const body: LogObjectBody = {
      ...rest,
      arrayBuffer: async () => bytes,
      text: async () => new TextDecoder().decode(bytes),
    };
    return body;
  },
  put: (...args: Parameters<LogBucket["put"]>) => call<{ etag: string } | null>("put", ...args),
  delete: (keys) => call("delete", keys),
  takeCounts: () => call<BucketCounts>("takeCounts"),
};
const jobs = new LogJobs(bucket, sample);

async function run(request: JobRequest): Promise<JobReport> {
  const baseBytes = liveBytes();
  maxBytes = baseBytes;
  const figures = await {
    compact: () => jobs.compact(Number(request.argument)),
    collect: () => jobs.collect(Number(request.argument)),
    drift: () => jobs.drift(Number(request.argument)),
    erase: () => jobs.erase(String(request.argument), request.objectsPerStep ?? 0),
  }[request.job]();
  return { figures, maxMegabytes: maxBytes / 2 ** 20, baseMegabytes: baseBytes / 2 ** 20 };
}

port.on(
  "message",
  (message: { request?: JobRequest; answer?: { id: number; value?: never; error?: string } }) => {
    const { request, answer } = message;
    if (answer) {
      const caller = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.error === undefined) caller?.resolve(answer.value as never);
      else caller?.reject(new Error(answer.error));
    }
    if (request)
      run(request).then(
        (report) => port.postMessage({ report } satisfies ThreadMessage),
        (error: unknown) => port.postMessage({ failure: String(error) } satisfies ThreadMessage),
      );
  },
);
