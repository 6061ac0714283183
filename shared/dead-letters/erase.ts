import { openedLetter } from "../contracts/dead-letter.ts";
import type { PersonLife } from "../contracts/services.ts";
import { type LetterBucket, letterPrefix, unowned } from "./store.ts";
import { isFormlessAbout, peopleIn, withoutErased } from "./users.ts";

/** One step through the letters of an application. */
export interface LetterStep {
  application: string;
  /** The last key of the step before; null for the first. */
  after: string | null;
  /** Letters that are read at most. */
  most: number;
}

/** Another may change the same letter meanwhile; more often than this it will not. */
const mostAttempts = 20;

/** Letters that name nobody's application come after the application's own. */
async function keysOf(
  bucket: LetterBucket,
  { application, after, most }: LetterStep,
): Promise<{ keys: string[]; next: string | null }> {
  const own = letterPrefix(application);
  const others = letterPrefix(unowned);
  const inOwn = after === null || (after.startsWith(own) && after !== others);
  const page = await bucket.list({
    prefix: inOwn ? own : others,
    startAfter: after ?? undefined,
    limit: most,
  });
  const keys = page.objects.map(({ key }) => key);
  if (page.truncated) return { keys, next: keys.at(-1) ?? null };
  return { keys, next: inOwn ? others : null };
}

/** The letters of one step that speak of a person. */
export async function lettersAbout(
  bucket: LetterBucket,
  step: LetterStep,
  person: Pick<PersonLife, "userId" | "object">,
): Promise<{ letters: { key: string; queue: string; sentAt: string }[]; next: string | null }> {
  const { keys, next } = await keysOf(bucket, step);
  const letters: { key: string; queue: string; sentAt: string }[] = [];
  for (const key of keys) {
    const stored = await bucket.get(key);
    const letter = openedLetter.safeParse(stored && (await stored.json()));
    if (!letter.success) continue;
    const { body, queue, sentAt } = letter.data;
    if (peopleIn(body)?.objects.includes(person.object) || isFormlessAbout(body, person))
      letters.push({ key, queue, sentAt });
  }
  return { letters, next };
}

/** Takes a person out of one letter, which goes when nothing is left of it. Answers whether it spoke of them. */
async function eraseFromLetter(bucket: LetterBucket, key: string, life: PersonLife): Promise<boolean> {
  const erased = new Map([[life.object, life.epoch]]);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const stored = await bucket.get(key);
    if (!stored) return false;
    const letter = openedLetter.parse(await stored.json());
    const body = isFormlessAbout(letter.body, life) ? null : withoutErased(letter.body, erased);
    if (body === letter.body) return false;
    if (body === null) {
      await bucket.delete(key);
      return true;
    }
    const written = await bucket.put(key, JSON.stringify({ ...letter, body }), {
      httpMetadata: { contentType: "application/json" },
      onlyIf: { etagMatches: stored.etag },
    });
    if (written !== null) return true;
  }
  throw new Error("a dead letter changed whenever it was rewritten");
}

/** One step of taking a person out of the letters. Every step may be repeated. */
export async function eraseFromLetters(
  bucket: LetterBucket,
  step: LetterStep,
  life: PersonLife,
): Promise<{ removed: number; next: string | null }> {
  const { keys, next } = await keysOf(bucket, step);
  let removed = 0;
  for (const key of keys) if (await eraseFromLetter(bucket, key, life)) removed++;
  return { removed, next };
}
