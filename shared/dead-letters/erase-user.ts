import { deadLetterWithBody } from "../contracts/dead-letter.ts";
import type { UserGeneration } from "../services/user-api.ts";
import { type DeadLetterBucket, deadLetterPrefix, noApplication } from "./dead-letter-store.ts";
import { isMalformedMessageAbout, messageWithoutErased, usersInMessage } from "./message-users.ts";

/** One step of a scan over the dead-letter messages of an application. */
export interface DeadLetterScan {
  application: string;
  /** The `next` of the previous step; null for the first step. */
  after: string | null;
  /** Maximum number of dead-letter messages that the step reads. */
  limit: number;
}

/** Maximum number of attempts to rewrite a dead-letter message that concurrent erasures or replays change. */
const maxRewrites = 20;

/**
 * Lists the keys of one step: first the application's own messages, then messages that name no application, because
 * these may contain data of any application's users.
 */
async function scanKeys(
  bucket: DeadLetterBucket,
  { application, after, limit }: DeadLetterScan,
): Promise<{ keys: string[]; next: string | null }> {
  const own = deadLetterPrefix(application);
  const others = deadLetterPrefix(noApplication);
  const inOwn = after === null || (after.startsWith(own) && after !== others);
  const page = await bucket.list({
    prefix: inOwn ? own : others,
    startAfter: after ?? undefined,
    limit,
  });
  const keys = page.objects.map(({ key }) => key);
  if (page.truncated) return { keys, next: keys.at(-1) ?? null };
  return { keys, next: inOwn ? others : null };
}

/** Finds the dead-letter messages of one step that contain a user's data. `next` is null after the last step. */
export async function findUserDeadLetters(
  bucket: DeadLetterBucket,
  step: DeadLetterScan,
  user: Pick<UserGeneration, "userId" | "pseudonym">,
): Promise<{ deadLetters: { key: string; queue: string; sentAt: string }[]; next: string | null }> {
  const { keys, next } = await scanKeys(bucket, step);
  const deadLetters: { key: string; queue: string; sentAt: string }[] = [];
  for (const key of keys) {
    const stored = await bucket.get(key);
    const deadLetter = deadLetterWithBody.safeParse(stored && (await stored.json()));
    if (!deadLetter.success) continue;
    const { body, queue, sentAt } = deadLetter.data;
    if (usersInMessage(body)?.pseudonyms.includes(user.pseudonym) || isMalformedMessageAbout(body, user))
      deadLetters.push({ key, queue, sentAt });
  }
  return { deadLetters, next };
}

/**
 * Removes a user's data from one dead-letter message, and deletes the message if nothing is left. Returns whether the
 * message contained data of the user.
 */
async function eraseFromDeadLetter(
  bucket: DeadLetterBucket,
  key: string,
  user: UserGeneration,
): Promise<boolean> {
  const erased = new Map([[user.pseudonym, user.generation]]);
  for (let attempt = 0; attempt < maxRewrites; attempt++) {
    const stored = await bucket.get(key);
    if (!stored) return false;
    const deadLetter = deadLetterWithBody.parse(await stored.json());
    const body = isMalformedMessageAbout(deadLetter.body, user)
      ? null
      : messageWithoutErased(deadLetter.body, erased);
    if (body === deadLetter.body) return false;
    if (body === null) {
      await bucket.delete(key);
      return true;
    }
    const written = await bucket.put(key, JSON.stringify({ ...deadLetter, body }), {
      httpMetadata: { contentType: "application/json" },
      onlyIf: { etagMatches: stored.etag },
    });
    if (written !== null) return true;
  }
  throw new Error(
    `Dead-letter message ${key} changed during each of ${maxRewrites} rewrites; retry the erasure step.`,
  );
}

/**
 * Removes a user's data from the dead-letter messages of one step, which may be repeated. Returns the number of
 * messages that contained data of the user.
 */
export async function eraseFromDeadLetters(
  bucket: DeadLetterBucket,
  step: DeadLetterScan,
  user: UserGeneration,
): Promise<{ removed: number; next: string | null }> {
  const { keys, next } = await scanKeys(bucket, step);
  let removed = 0;
  for (const key of keys) if (await eraseFromDeadLetter(bucket, key, user)) removed++;
  return { removed, next };
}
