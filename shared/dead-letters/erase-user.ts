import { deadLetterWithBody } from "../contracts/dead-letter.ts";
import type { UserGeneration } from "../services/user-api.ts";
import { type DeadLetterBucket, deadLetterPrefix, noApplication } from "./dead-letter-store.ts";
import { isMalformedMessageAbout, messageWithoutErased, usersInMessage } from "./message-users.ts";

/** One step through the letters of an application. */
export interface DeadLetterScan {
  application: string;
  /** The last key of the step before; null for the first. */
  after: string | null;
  /** Letters that are read at most. */
  limit: number;
}

/** Another may change the same letter meanwhile; more often than this it will not. */
const maxRewrites = 20;

/** Letters that name nobody's application come after the application's own. */
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

/** The letters of one step that speak of a person. */
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

/** Takes a person out of one letter, which goes when nothing is left of it. Answers whether it spoke of them. */
async function eraseFromDeadLetter(
  bucket: DeadLetterBucket,
  key: string,
  life: UserGeneration,
): Promise<boolean> {
  const erased = new Map([[life.pseudonym, life.generation]]);
  for (let attempt = 0; attempt < maxRewrites; attempt++) {
    const stored = await bucket.get(key);
    if (!stored) return false;
    const deadLetter = deadLetterWithBody.parse(await stored.json());
    const body = isMalformedMessageAbout(deadLetter.body, life)
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
  throw new Error("a dead letter changed whenever it was rewritten");
}

/** One step of taking a person out of the letters. Every step may be repeated. */
export async function eraseFromDeadLetters(
  bucket: DeadLetterBucket,
  step: DeadLetterScan,
  life: UserGeneration,
): Promise<{ removed: number; next: string | null }> {
  const { keys, next } = await scanKeys(bucket, step);
  let removed = 0;
  for (const key of keys) if (await eraseFromDeadLetter(bucket, key, life)) removed++;
  return { removed, next };
}
