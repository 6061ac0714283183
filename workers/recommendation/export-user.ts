import * as z from "zod";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import type { Columns } from "../../model/columns/columns.ts";
import { decodeInputs } from "../../model/pipeline/recorded-inputs.ts";
import { decodeCursor, encodeCursor } from "../../shared/contracts/cursor.ts";
import { deadLetterWithBody } from "../../shared/contracts/dead-letter.ts";
import { type ExportItem, exportItem } from "../../shared/contracts/export.ts";
import type { Page } from "../../shared/contracts/page.ts";
import type { Requester } from "../../shared/contracts/requester.ts";
import { ok, RefusalError, type Result, unwrap } from "../../shared/contracts/result.ts";
import { findUserDeadLetters } from "../../shared/dead-letters/erase-user.ts";
import { isMalformedMessageAbout, userPartOfMessage } from "../../shared/dead-letters/message-users.ts";
import { bytesOfBase64url } from "../../shared/encoding/base64url.ts";
import { ExperimentCountsTable } from "../../shared/experiments/experiment-counts.ts";
import { ExperimentUsersTable } from "../../shared/experiments/experiment-users.ts";
import { logPseudonymOf } from "../../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import { lineIdentity, unpackLines } from "../../shared/training-log/lines.ts";
import { scanUserObjects } from "../../shared/training-log/scan-user.ts";
import { decompressInputs } from "./serve/record-inputs.ts";
import { itemWithoutPlaces } from "./withhold-places.ts";

/** Stores that hold data of a user, in the order of the export. */
const exportParts = [
  "profile",
  "interactions",
  "locations",
  "object",
  "experiments",
  "training_log",
  "dead_letters",
] as const;
type ExportPart = (typeof exportParts)[number];

const loggedLine = z.looseObject({ pseudonym: z.string() });

/** Training log objects that one page reads. */
const logObjectsPerPage = 50;
/** Dead-letter messages that one page reads. */
const deadLettersPerPage = 50;
/** Empty pages that one call skips before it returns an empty page. */
const maxEmptyPages = 10;

const key = z.string().nullable();
const objectPosition = z.object({ table: z.enum(["journal", "receipts"]), after: z.string() }).nullable();
/** Position in a store that is read for one owner after the other. */
const ownerPosition = z.object({ owner: z.number().int().min(0), after: key }).nullable();
const position = z.union([
  z.object({ part: z.literal("object"), at: objectPosition }),
  z.object({ part: z.enum(["training_log", "dead_letters"]), at: ownerPosition }),
  z.object({ part: z.enum(exportParts).exclude(["object", "training_log", "dead_letters"]), at: key }),
]);

/** A page of one store. */
interface ExportedPart {
  items: ExportItem[];
  /** Position of the next page; null at the end of the store. */
  next: unknown;
}

/** A request for a page of one store. */
interface PartRequest {
  application: string;
  userId: string;
  limit: number;
  /** Position from the previous page's `next`; null for the first page. */
  at: unknown;
}

/** Returns a page of the user service as a page of the export. `next` is the cursor of the user service. */
async function exportedPage<T>(
  page: Promise<Result<Page<T>>>,
  itemOf: (item: T) => ExportItem,
): Promise<ExportedPart> {
  const { items, nextCursor } = unwrap(await page, "the user service");
  return { items: items.map(itemOf), next: nextCursor ?? null };
}

const readers: Record<ExportPart, (env: RecommendationEnv, request: PartRequest) => Promise<ExportedPart>> = {
  async profile({ USER }, { application, userId }) {
    const profile = await USER.get(application, userId);
    return { items: profile.ok ? [{ store: "profile", profile: profile.value }] : [], next: null };
  },
  interactions: ({ USER }, { application, userId, limit, at }) =>
    exportedPage(
      USER.listInteractions(application, userId, { limit, cursor: key.parse(at) ?? undefined }),
      (interaction) => ({ store: "interactions", interaction }),
    ),
  locations: ({ USER }, { application, userId, limit, at }) =>
    exportedPage(
      USER.listVisits(application, userId, { limit, cursor: key.parse(at) ?? undefined }),
      (visit) => ({
        store: "locations",
        ...visit,
      }),
    ),
  async object({ USER_SESSION }, { application, userId, limit, at }) {
    const session = userSessionStub(USER_SESSION, application, userId, null);
    const page = await session.exportPage(objectPosition.parse(at), limit);
    const items = page.items.map((text) => exportItem.parse(JSON.parse(text)));
    return { items: await Promise.all(items.map(withReadableInputs)), next: page.next };
  },
  async experiments({ USER_SESSION, DB }, { application, userId }) {
    const pseudonym = userSessionStub(USER_SESSION, application, userId, null).id.toString();
    const ofRollouts = await new ExperimentCountsTable(DB).ofUser(application, pseudonym);
    const ofExperiments = await new ExperimentUsersTable(DB).ofUser(application, pseudonym);
    return {
      items: [...ofRollouts.map(({ pseudonym: _pseudonym, ...each }) => each), ...ofExperiments].map(
        (counts): ExportItem => ({ store: "experiments", counts }),
      ),
      next: null,
    };
  },
  training_log: (env, request) =>
    readForOwners(env, request, async ({ pseudonym: objectId }, after) => {
      const { TRAINING_LOG, PSEUDONYM_SECRET } = env;
      const pseudonym = await logPseudonymOf(await pseudonymKeysOf({ PSEUDONYM_SECRET }), objectId);
      const scan = { application: request.application, pseudonym, after, limit: logObjectsPerPage };
      // A compaction may move lines meanwhile, so each is exported once.
      const lines = new Map<string, ExportItem>();
      const next = await scanUserObjects(TRAINING_LOG, scan, "read", async (keys) => {
        for (const objectKey of keys) {
          const object = await TRAINING_LOG.get(objectKey);
          if (!object) continue;
          for (const each of await unpackLines(await object.arrayBuffer())) {
            // The export names the user, so it does not name the user's pseudonym too.
            const { pseudonym: owner, ...line } = loggedLine.parse(each);
            if (owner === pseudonym)
              lines.set(lineIdentity({ ...line, pseudonym }), { store: "training_log", line });
          }
        }
      });
      return { items: [...lines.values()], next };
    }),
  dead_letters: (env, request) =>
    readForOwners(env, request, async (user, after) => {
      const { DEAD_LETTERS } = env;
      const scan = { application: request.application, after, limit: deadLettersPerPage };
      const { deadLetters, next } = await findUserDeadLetters(DEAD_LETTERS, scan, user);
      const items: ExportItem[] = [];
      for (const each of deadLetters) {
        const object = await DEAD_LETTERS.get(each.key);
        const deadLetter = deadLetterWithBody.safeParse(object && (await object.json()));
        if (!deadLetter.success) continue;
        const { body, queue, sentAt } = deadLetter.data;
        // A malformed message may hold data of other users, so the export names the message without its content.
        const part = isMalformedMessageAbout(body, user) ? null : userPartOfMessage(body, user.pseudonym);
        items.push({ store: "dead_letters", queue, sentAt, part });
      }
      return { items, next };
    }),
};

/** Returns an item of the user's object; a receipt with its recorded inputs as JSON instead of compressed bytes. */
async function withReadableInputs(item: ExportItem): Promise<ExportItem> {
  if (item.store !== "receipts" || typeof item.inputs !== "string") return item;
  const inputs = decodeInputs(await decompressInputs(bytesOfBase64url(item.inputs)));
  if (inputs === null) return item;
  const { query, blocks, ...rest } = inputs;
  const productsOf = (block: Columns | null): string[] =>
    Array.from({ length: block?.count ?? 0 }, (_, row) => block?.id(row) ?? "");
  const candidates = [blocks.near, blocks.chosen, blocks.next].flatMap(productsOf);
  const readable = { ...rest, query, candidates: [...new Set(candidates)] };
  return {
    ...item,
    inputs: JSON.parse(
      JSON.stringify(readable, (_, value: unknown) =>
        value instanceof Map ? Object.fromEntries(value) : value,
      ),
    ),
  };
}

/**
 * Returns a page of a store that names users by pseudonym: first what is stored under the user's own, then what is stored
 * under those of the users that were merged into this one.
 */
async function readForOwners(
  { USER_SESSION }: RecommendationEnv,
  { application, userId, at }: PartRequest,
  read: (
    user: { userId: string; pseudonym: string },
    after: string | null,
  ) => Promise<{ items: ExportItem[]; next: string | null }>,
): Promise<ExportedPart> {
  const { owner, after } = ownerPosition.parse(at) ?? { owner: 0, after: null };
  const owners = await userSessionStub(USER_SESSION, application, userId, null).dataOwners(userId);
  if (owner >= owners.length) return { items: [], next: null };
  const { items, next } = await read(owners[owner], after);
  if (next !== null) return { items, next: { owner, after: next } };
  return { items, next: owner + 1 < owners.length ? { owner: owner + 1, after: null } : null };
}

/**
 * Returns the next page of all data that is stored about a user, without places for a requester who may not know them. A
 * page may be empty although more pages follow.
 */
export async function exportUser(
  env: RecommendationEnv,
  application: string,
  userId: string,
  { limit, cursor }: { limit: number; cursor?: string },
  { mayKnowPlace }: Requester,
): Promise<Result<Page<ExportItem>>> {
  const start = decodeCursor(position, cursor);
  if (!start.ok) return start;
  let { part, at }: { part: ExportPart; at?: unknown } = start.value ?? { part: exportParts[0], at: null };
  for (let empty = 0; ; empty++) {
    const exported = await readers[part](env, { application, userId, limit, at: at ?? null }).catch(
      (error: unknown) => {
        if (error instanceof RefusalError) return error;
        throw error;
      },
    );
    if (exported instanceof RefusalError) return { ok: false, error: exported.refusal };
    const items = mayKnowPlace
      ? exported.items
      : exported.items.flatMap((item) => itemWithoutPlaces(item) ?? []);
    const nextPart = exported.next === null ? exportParts[exportParts.indexOf(part) + 1] : part;
    const hasMore = nextPart !== undefined;
    if (items.length > 0 || !hasMore || empty === maxEmptyPages)
      return ok({
        items,
        ...(hasMore ? { nextCursor: encodeCursor({ part: nextPart, at: exported.next }) } : {}),
      });
    part = nextPart;
    at = exported.next;
  }
}
