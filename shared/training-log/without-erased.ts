import { unwrap } from "../contracts/result.ts";
import type { UserApi } from "../contracts/services.ts";
import { isErased, unpacked, userOf } from "./lines.ts";

/** The lines of an object; null where it is not what the log holds. */
async function linesOf(bytes: ArrayBuffer): Promise<unknown[] | null> {
  try {
    const lines = await unpacked(bytes);
    userOf(lines);
    return lines;
  } catch {
    return null;
  }
}

/**
 * The lines of an object of the log, without those of anybody who was erased; null where it is damaged. An object that an
 * erasure took away meanwhile has none. Throws where the records cannot say who was erased.
 */
export async function livingLines(
  { log, user }: { log: Pick<R2Bucket, "get">; user: Pick<UserApi, "tombstones"> },
  application: string,
  key: string,
): Promise<unknown[] | null> {
  const object = await log.get(key);
  if (!object) return [];
  const lines = await linesOf(await object.arrayBuffer());
  if (lines === null) return null;
  const tombstones = unwrap(await user.tombstones(application, userOf(lines)), "the user service");
  const erased = new Map(tombstones.map(({ object: pseudonym, generation }) => [pseudonym, generation]));
  return lines.filter((line) => !isErased(line, erased));
}
