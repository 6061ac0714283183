import { mapConcurrent } from "../async/map-concurrent.ts";
import type { ConsentLimits } from "../consent/consent-limits.ts";
import { type DeadLetterWithBody, deadLetterWithBody } from "../contracts/dead-letter.ts";
import type { CoarsenToStore } from "../geo/coarsen-point.ts";
import type { UserGeneration } from "../services/user-api.ts";
import { coarsenedMessage } from "./coarsened-message.ts";
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

/** Dead-letter messages that are read from R2 at the same time. */
const maxConcurrentReads = 6;
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

/** Returns the changed body of a dead-letter message: null if nothing is left, the same object if nothing has to change. */
type ChangeBody = (body: unknown) => Promise<unknown>;

/** A dead-letter message as it was read. */
interface ReadDeadLetter {
  key: string;
  etag: string;
  deadLetter: DeadLetterWithBody;
}

async function readDeadLetter(bucket: DeadLetterBucket, key: string): Promise<ReadDeadLetter | null> {
  const stored = await bucket.get(key);
  return stored && { key, etag: stored.etag, deadLetter: deadLetterWithBody.parse(await stored.json()) };
}

/** Stores a changed body, or deletes the message if it is null. Returns false if the message changed since it was read. */
async function replaceBody(
  bucket: DeadLetterBucket,
  { key, etag, deadLetter }: ReadDeadLetter,
  body: unknown,
): Promise<boolean> {
  if (body === null) {
    await bucket.delete(key);
    return true;
  }
  const written = await bucket.put(key, JSON.stringify({ ...deadLetter, body }), {
    httpMetadata: { contentType: "application/json" },
    onlyIf: { etagMatches: etag },
  });
  return written !== null;
}

/** Changes the body of one dead-letter message that others change too. Returns whether the body was changed. */
async function rewriteDeadLetter(
  bucket: DeadLetterBucket,
  key: string,
  change: ChangeBody,
): Promise<boolean> {
  for (let attempt = 0; attempt < maxRewrites; attempt++) {
    const read = await readDeadLetter(bucket, key);
    if (!read) return false;
    const body = await change(read.deadLetter.body);
    if (body === read.deadLetter.body) return false;
    if (await replaceBody(bucket, read, body)) return true;
  }
  throw new Error(
    `Dead-letter message ${key} changed during each of ${maxRewrites} rewrites; retry the step.`,
  );
}

/**
 * Changes the dead-letter messages of one step, which may be repeated. `change` is called for all of them at the same time,
 * so that it can ask another worker for all at once. Returns the number of changed messages.
 */
async function rewriteDeadLetters(
  bucket: DeadLetterBucket,
  step: DeadLetterScan,
  change: ChangeBody,
): Promise<{ changed: number; next: string | null }> {
  const { keys, next } = await scanKeys(bucket, step);
  const found: ReadDeadLetter[] = [];
  await mapConcurrent(maxConcurrentReads, keys, async (key) => {
    const read = await readDeadLetter(bucket, key);
    if (read) found.push(read);
  });
  const bodies = await Promise.all(found.map(({ deadLetter }) => change(deadLetter.body)));
  let changed = 0;
  for (const [i, each] of found.entries()) {
    if (bodies[i] === each.deadLetter.body) continue;
    if ((await replaceBody(bucket, each, bodies[i])) || (await rewriteDeadLetter(bucket, each.key, change)))
      changed++;
  }
  return { changed, next };
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
  const erased = new Map([[user.pseudonym, user.generation]]);
  const { changed, next } = await rewriteDeadLetters(bucket, step, async (body) =>
    isMalformedMessageAbout(body, user) ? null : messageWithoutErased(body, erased),
  );
  return { removed: changed, next };
}

/**
 * Coarsens a user's data in the dead-letter messages of one step, which may be repeated. A message that no consumer can
 * read and that is about the user is deleted. `owners` are the pseudonyms under which rows of the user are, each with
 * what the consent allows. Returns the number of changed messages.
 */
export const coarsenDeadLetterMessages = (
  bucket: DeadLetterBucket,
  step: DeadLetterScan,
  user: Pick<UserGeneration, "userId" | "pseudonym">,
  owners: readonly { pseudonym: string; limits: ConsentLimits }[],
  coarsen: CoarsenToStore,
): Promise<{ changed: number; next: string | null }> =>
  rewriteDeadLetters(bucket, step, async (body) => {
    if (isMalformedMessageAbout(body, user)) return null;
    let coarse = body;
    for (const { pseudonym, limits } of owners)
      if (coarse !== null) coarse = await coarsenedMessage(coarse, pseudonym, limits, coarsen);
    return coarse;
  });
