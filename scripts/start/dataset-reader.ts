import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { ApiTarget } from "../api/send-with-retries.ts";
import type { StartOptions } from "./options.ts";

/** What is read: a folder or file, or the demo where `dataDir` is null. */
export type DatasetOptions = Pick<StartOptions, "dataDir" | "times" | "read">;

/** What a dataset holds, and what was found when it was read, as lines of text. */
export interface DatasetSummary {
  name: string;
  products: number;
  users: number;
  events: number;
  lines: string[];
}

/** How many rows an import rejected, and which, as lines of text. */
export interface ImportReport {
  rejected: number;
  lines: string[];
}

/** What the thread of a dataset tells. */
export type DatasetMessage =
  | { kind: "read"; summary: DatasetSummary }
  | { kind: "progress"; detail: string }
  | { kind: "imported"; report: ImportReport }
  | { kind: "failed"; reason: string };

/** A dataset that was read, in a thread of its own, and is ready to be imported once. */
export class DatasetReader {
  readonly summary: DatasetSummary;
  readonly #thread: Worker;

  private constructor(thread: Worker, summary: DatasetSummary) {
    this.#thread = thread;
    this.summary = summary;
  }

  /** Reads a dataset, or simulates the demo. Rejects with the reason if it cannot be read. */
  static async read({ dataDir, times, read }: DatasetOptions): Promise<DatasetReader> {
    const thread = new Worker(join(import.meta.dirname, "dataset-thread.ts"), {
      workerData: { dataDir, times, read } satisfies DatasetOptions,
    });
    const [message]: DatasetMessage[] = await once(thread, "message");
    if (message.kind === "read") return new DatasetReader(thread, message.summary);
    await thread.terminate();
    throw new Error(message.kind === "failed" ? message.reason : "The thread of the dataset has ended.");
  }

  /**
   * Imports the dataset into a running server, and returns when queries find its products. Rejects with the reason if the
   * import fails. The thread ends in both cases.
   */
  import(target: ApiTarget, onProgress: (detail: string) => void): Promise<ImportReport> {
    const thread = this.#thread;
    const imported = new Promise<ImportReport>((resolve, reject) => {
      thread.on("error", reject);
      thread.on("message", (message: DatasetMessage) => {
        if (message.kind === "progress") onProgress(message.detail);
        else if (message.kind === "imported") resolve(message.report);
        else if (message.kind === "failed") reject(new Error(message.reason));
      });
    });
    thread.postMessage(target);
    return imported.finally(() => thread.terminate());
  }

  /** Ends the thread of a dataset that need not be imported. */
  async discard(): Promise<void> {
    await this.#thread.terminate();
  }
}
