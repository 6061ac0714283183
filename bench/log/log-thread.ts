import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { MemoryBucket } from "../../shared/training-log/testing/memory-bucket.ts";
import type { JobFigures } from "./log-jobs.ts";

/** A call of the bucket that the thread makes. */
export interface BucketCall {
  id: number;
  method: "list" | "head" | "get" | "put" | "delete" | "takeCounts";
  args: unknown[];
}

/** What the thread is asked to do: a time in seconds since the Unix epoch, or a user's name in the log. */
export interface JobRequest {
  job: "compact" | "collect" | "drift" | "erase";
  argument: number | string;
  objectsPerStep?: number;
}

/** What a job did, and the memory of the thread: at most, and before the job. */
export interface JobReport {
  figures: JobFigures;
  maxMegabytes: number;
  baseMegabytes: number;
}

/** A message of the thread. */
export interface ThreadMessage {
  call?: BucketCall;
  report?: JobReport;
  failure?: string;
}

/** A thread that runs jobs of the training log on a bucket of this thread, with at most `maxMegabytes` of heap. */
export class LogThread {
  readonly #bucket: MemoryBucket;
  readonly #worker: Worker;
  #running: PromiseWithResolvers<JobReport> | null = null;

  constructor(bucket: MemoryBucket, maxMegabytes: number) {
    this.#bucket = bucket;
    setFlagsFromString("--expose-gc");
    this.#worker = new Worker(new URL("./log-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: maxMegabytes, maxYoungGenerationSizeMb: 8 },
    });
    this.#worker.on("message", (message: ThreadMessage) => this.#receive(message));
    this.#worker.on("error", (error) => this.#running?.reject(error));
  }

  #receive({ call, report, failure }: ThreadMessage): void {
    if (report) this.#running?.resolve(report);
    if (failure !== undefined) this.#running?.reject(new Error(failure));
    if (call)
      this.#call(call).then(
        (value) => this.#worker.postMessage({ answer: { id: call.id, value } }),
        (error: unknown) => this.#worker.postMessage({ answer: { id: call.id, error: String(error) } }),
      );
  }

  async #call({ method, args }: BucketCall): Promise<unknown> {
    const bucket = this.#bucket;
    const [first, ...rest] = args as [never, never, never];
    if (method === "takeCounts") return bucket.takeCounts();
    if (method !== "get") return bucket[method](first, ...(rest as [never, never]));
    const object = await bucket.get(first);
    if (object === null) return null;
    const { arrayBuffer, text: _text, ...description } = object;
    return { ...description, bytes: await arrayBuffer() };
  }

  /** Runs a job. Rejects if it fails, or takes more memory than the thread may have. */
  run(request: JobRequest): Promise<JobReport> {
    this.#running = Promise.withResolvers();
    this.#worker.postMessage({ request });
    return this.#running.promise;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
