import { batchKey, logDayOf } from "../keys.ts";
import { packLines } from "../lines.ts";

/**
 * Writes lines to the log of an application as batches of `perObject` lines, under the day of the batch's newest line.
 * `linesBefore` is the number of lines that earlier calls wrote.
 */
export async function writeLog(
  bucket: { put(key: string, bytes: ArrayBuffer): Promise<unknown> },
  application: string,
  lines: readonly Record<string, unknown>[],
  perObject = 100,
  linesBefore = 0,
): Promise<void> {
  for (let at = 0; at < lines.length; at += perObject) {
    const part = lines.slice(at, at + perObject);
    const newest = part.reduce((latest, { time }) => Math.max(latest, Number(time ?? 0)), 0);
    const users = part.map(({ pseudonym }) => String(pseudonym));
    const name = `${linesBefore + at}`.padStart(32, "0");
    await bucket.put(batchKey(application, logDayOf(newest), users, name), await packLines(part));
  }
}
