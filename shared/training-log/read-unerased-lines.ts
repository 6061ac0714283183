import { unwrap } from "../contracts/result.ts";
import type { UserApi } from "../services/user-api.ts";
import { isErasedLine, pseudonymsIn, unpackLines } from "./lines.ts";

/** The lines of an object; null where it is not what the log holds. */
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
 * The lines of an object of the log, without those of anybody who was erased; null where it is damaged. An object that an
 * erasure took away meanwhile has none. Throws where the records cannot say who was erased.
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
