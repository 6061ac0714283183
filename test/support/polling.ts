import { setTimeout as sleep } from "node:timers/promises";

const pollIntervalMs = 100;

/** Reads a value until `isDone` accepts it, for at most `seconds`. Returns the last value in either case. */
export async function pollUntil<T>(
  read: () => Promise<T>,
  isDone: (value: T) => boolean,
  seconds = 10,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (isDone(value) || Date.now() > deadline) return value;
    await sleep(pollIntervalMs);
  }
}

/** Waits until `condition` holds. Throws an error with the text of `describe` if it does not hold within `seconds`. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  seconds: number,
  describe: () => string,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(pollIntervalMs))
    if (await condition()) return;
  throw new Error(`Timed out after ${seconds} s: ${describe()}`);
}
