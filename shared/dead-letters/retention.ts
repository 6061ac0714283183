import { endOfLife, type Removed, type Retention } from "../contracts/retention.ts";
import { type AgingBucket, applicationsIn, removeExpired } from "../retention/expired.ts";
import { letterPrefix } from "./store.ts";

/** Removes dead letters that nobody replayed in their time. `now` in seconds. */
export async function removeExpiredLetters(
  bucket: AgingBucket,
  retention: Retention,
  now: number,
): Promise<Removed> {
  const oldest = endOfLife(now, retention.deadLetters) * 1000;
  let deadLetters = 0;
  for (const application of await applicationsIn(bucket))
    deadLetters += await removeExpired(
      bucket,
      letterPrefix(application),
      ({ uploaded }) => uploaded.getTime() < oldest,
      false,
    );
  return { deadLetters };
}
