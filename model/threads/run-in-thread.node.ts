import { Worker } from "node:worker_threads";

/** A message of a thread: progress, or the result, after which the thread ends. */
export interface ThreadMessage<Progress, Result> {
  progress?: Progress;
  result?: Result;
}

/** Runs a module in a thread of its own and returns the result that it posts. Rejects if the thread fails or ends without one. */
export function runInThread<Progress, Result>(
  module: URL,
  workerData: unknown,
  onProgress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Result> {
  const thread = new Worker(module, { workerData });
  const result = new Promise<Result>((resolve, reject) => {
    thread.on("message", (message: ThreadMessage<Progress, Result>) => {
      if (message.progress !== undefined) onProgress(message.progress);
      if (message.result !== undefined) resolve(message.result);
    });
    thread.on("error", reject);
    thread.on("exit", () => reject(new Error("The thread ended without a result.")));
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return result.finally(() => thread.terminate());
}

/**
 * Starts tasks in order, at most `limit` at a time, and returns their results in order. The first failure aborts the signal
 * of the others, and rejects when all have ended.
 */
export async function runLimited<T>(
  tasks: readonly ((signal: AbortSignal) => Promise<T>)[],
  limit: number,
): Promise<T[]> {
  const results: T[] = [];
  const abort = new AbortController();
  let next = 0;
  const takeTasks = async (): Promise<void> => {
    while (next < tasks.length && !abort.signal.aborted) {
      const i = next++;
      try {
        results[i] = await tasks[i](abort.signal);
      } catch (error) {
        abort.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, takeTasks));
  abort.signal.throwIfAborted();
  return results;
}
