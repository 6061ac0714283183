import { z } from "zod";
import { userSession } from "../../durable-objects/user-session.ts";
import { decodeCursor, encodeCursor } from "../../shared/contracts/cursor.ts";
import { deadLetterWithBody } from "../../shared/contracts/dead-letter.ts";
import { type ExportItem, exportItem } from "../../shared/contracts/export.ts";
import { ok, RefusalError, type Result, unwrap } from "../../shared/contracts/result.ts";
import type { Page } from "../../shared/contracts/services.ts";
import { deadLettersAbout } from "../../shared/dead-letters/erase.ts";
import { isFormlessAbout, partOf } from "../../shared/dead-letters/users.ts";
import { UserCountsTable } from "../../shared/experiments/user-counts.ts";
import { objectsOf } from "../../shared/training-log/erase.ts";
import { ownerOf, unpacked } from "../../shared/training-log/lines.ts";

/** Where things of a person lie, in the order in which they are given. */
const parts = [
  "profile",
  "interactions",
  "locations",
  "object",
  "experiments",
  "training_log",
  "dead_letters",
] as const;
type Part = (typeof parts)[number];

/** Objects of the log, and letters, that one page reads at most. */
const objectsPerPage = 50;
const deadLettersPerPage = 50;
/** Pages without anything that one call goes on over. */
const maxEmpty = 10;

const key = z.string().nullable();
const heldPosition = z.object({ table: z.enum(["journal", "receipts"]), after: z.string() }).nullable();
const position = z.union([
  z.object({ part: z.literal("object"), at: heldPosition }),
  z.object({ part: z.enum(parts).exclude(["object"]), at: key }),
]);

/** What one part gives: items, and where it goes on; null at its end. */
interface Given {
  items: ExportItem[];
  next: unknown;
}

/** Whom to ask for what. */
interface Asked {
  application: string;
  userId: string;
  limit: number;
  /** Where the part goes on, as it said; null for its beginning. */
  at: unknown;
}

/** A page of a list of the records, whose position is its cursor. */
async function paged<T>(page: Promise<Result<Page<T>>>, itemOf: (item: T) => ExportItem): Promise<Given> {
  const { items, nextCursor } = unwrap(await page, "the user service");
  return { items: items.map(itemOf), next: nextCursor ?? null };
}

const readers: Record<Part, (env: RecommendationEnv, asked: Asked) => Promise<Given>> = {
  async profile({ USER }, { application, userId }) {
    const profile = await USER.get(application, userId);
    return { items: profile.ok ? [{ store: "profile", profile: profile.value }] : [], next: null };
  },
  interactions: ({ USER }, { application, userId, limit, at }) =>
    paged(
      USER.history(application, userId, { limit, cursor: key.parse(at) ?? undefined }),
      (interaction) => ({ store: "interactions", interaction }),
    ),
  locations: ({ USER }, { application, userId, limit, at }) =>
    paged(USER.visits(application, userId, { limit, cursor: key.parse(at) ?? undefined }), (visit) => ({
      store: "locations",
      ...visit,
    })),
  async object({ USER_SESSION }, { application, userId, limit, at }) {
    const session = userSession(USER_SESSION, application, userId, null);
    const held = await session.exportPage(heldPosition.parse(at), limit);
    return { items: held.items.map((text) => exportItem.parse(JSON.parse(text))), next: held.next };
  },
  async experiments({ USER_SESSION, DB }, { application, userId }) {
    const pseudonym = userSession(USER_SESSION, application, userId, null).id.toString();
    const counts = await new UserCountsTable(DB).of(application, pseudonym);
    return {
      items: counts.map(({ pseudonym: _person, ...each }) => ({ store: "experiments", counts: each })),
      next: null,
    };
  },
  async training_log({ USER_SESSION, TRAINING_LOG }, { application, userId, at }) {
    const pseudonym = userSession(USER_SESSION, application, userId, null).id.toString();
    const step = { application, pseudonym, after: key.parse(at), most: objectsPerPage };
    const { keys, next } = await objectsOf(TRAINING_LOG, step);
    const items: ExportItem[] = [];
    for (const each of keys) {
      const object = await TRAINING_LOG.get(each);
      if (!object) continue;
      for (const line of await unpacked(await object.arrayBuffer()))
        if (ownerOf(line) === pseudonym) items.push({ store: "training_log", line });
    }
    return { items, next };
  },
  async dead_letters({ USER_SESSION, TRAINING_LOG }, { application, userId, at }) {
    const user = { userId, object: userSession(USER_SESSION, application, userId, null).id.toString() };
    const step = { application, after: key.parse(at), most: deadLettersPerPage };
    const { deadLetters: letters, next } = await deadLettersAbout(TRAINING_LOG, step, user);
    const items: ExportItem[] = [];
    for (const each of letters) {
      const object = await TRAINING_LOG.get(each.key);
      const deadLetter = deadLetterWithBody.safeParse(object && (await object.json()));
      if (!deadLetter.success) continue;
      const { body, queue, sentAt } = deadLetter.data;
      // What has no form may speak of others too: that there is such a letter must do.
      const part = isFormlessAbout(body, user) ? null : partOf(body, user.object);
      items.push({ store: "dead_letters", queue, sentAt, part });
    }
    return { items, next };
  },
};

/** The next page of all that is held about a person. It may be empty though more follows. */
export async function exportUser(
  env: RecommendationEnv,
  application: string,
  userId: string,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<Result<Page<ExportItem>>> {
  const start = decodeCursor(position, cursor);
  if (!start.ok) return start;
  let { part, at }: { part: Part; at?: unknown } = start.value ?? { part: parts[0], at: null };
  for (let empty = 0; ; empty++) {
    const given = await readers[part](env, { application, userId, limit, at: at ?? null }).catch(
      (error: unknown) => {
        if (error instanceof RefusalError) return error;
        throw error;
      },
    );
    if (given instanceof RefusalError) return { ok: false, error: given.refusal };
    const following = given.next === null ? parts[parts.indexOf(part) + 1] : part;
    const more = following !== undefined;
    if (given.items.length > 0 || !more || empty === maxEmpty)
      return ok({
        items: given.items,
        ...(more ? { nextCursor: encodeCursor({ part: following, at: given.next }) } : {}),
      });
    part = following;
    at = given.next;
  }
}
