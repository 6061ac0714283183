import { unwrap } from "../contracts/result.ts";
import type { UserApi } from "../services/user-api.ts";
import { isErasedLine, pseudonymsIn, unpackLines } from "./lines.ts";

/** Returns the lines of an object; null if the object is damaged. */
async function decodeLines(bytes: ArrayBuffer): Promise<unknown[] | null> {
  try {
    const lines = await unpackLines(bytes);
    pseudonymsIn(lines);
    return lines;
  } catch {
    return null;
  }
}

/**
 * Returns the lines of an object of the training log, without the lines of erased users; null if the object is damaged.
 * Returns no lines if an erasure has deleted the object. Throws if the user worker cannot return the tombstones.
 */
export async function readUnerasedLines(
  { log, user }: { log: Pick<R2Bucket, "get">; user: Pick<UserApi, "findTombstones"> },
  application: string,
  key: string,
): Promise<unknown[] | null> {
  const object = await log.get(key);
  if (!object) return [];
  const lines = await decodeLines(await object.arrayBuffer());
  if (lines === null) return null;
  const tombstones = unwrap(await user.findTombstones(application, pseudonymsIn(lines)), "the user service");
  const erased = new Map(tombstones.map(({ pseudonym, generation }) => [pseudonym, generation]));
  return lines.filter((line) => !isErasedLine(line, erased));
}
