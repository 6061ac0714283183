import { logKey } from "../keys.ts";
import { packLines } from "../lines.ts";

/**
 * Writes lines to the log of an application, `perObject` lines to an object, under the day of the object's newest line.
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
    const day = new Date(newest * 1000).toISOString().slice(0, 10);
    await bucket.put(
      logKey(application, day, 0, `${linesBefore + at}`.padStart(32, "0")),
      await packLines(part),
    );
  }
}
