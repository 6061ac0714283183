import type { RecordedInputs } from "../../../model/pipeline/recorded-inputs.ts";
import type { PipelineAnswer } from "../../../model/pipeline/run-pipeline.ts";
import type { ShownProductRow } from "../../../model/pipeline/shown-products.ts";
import { Random } from "../../../model/train/random.ts";
import { nearestMinorUnits } from "../../../shared/contracts/minor-units.ts";
import type { ProductCard } from "../../../shared/contracts/product.ts";
import type {
  CompleteRecommendationInput,
  RecommendationInput,
} from "../../../shared/contracts/recommendation.ts";
import { ok, type Result, refuse, unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { loadCardsById } from "./cards.ts";
import { hashRequest, type ListPosition, maxListLength, openPosition, sealPosition } from "./list-cursor.ts";

/** Seconds for which a list can be continued, from its first page on. */
const listSeconds = 30 * 60;

/** A list, as its next page continues it. */
export interface ContinuedList extends Pick<ListPosition, "user" | "request" | "startedAt" | "shown"> {
  /** The recommendation id of the first page, and the seed of this one; null for the first page. */
  continued: Pick<ListPosition, "first" | "seed"> | null;
  /** What the rules read of the products of the pages before, without those that were deleted since. */
  rows: ShownProductRow[];
}

/** Returns a refusal of a cursor. */
const refuseCursor = (message: string, detail: string): Result<never> =>
  refuse("invalid_input", detail, { issues: [{ path: "cursor", message }] });

/**
 * Returns the list that a request continues, or a new one. `user` is the id of the user's object, `now` is in seconds since
 * the epoch. Refuses a cursor that is not one of this list or has expired with `invalid_input`, and with `unavailable`
 * if the products of the pages before cannot be read: without them, the rules would not know what the list has.
 */
export async function continuedList(
  env: Pick<RecommendationEnv, "PRODUCT" | "PSEUDONYM_SECRET">,
  application: string,
  input: RecommendationInput,
  user: string,
  now: number,
): Promise<Result<ContinuedList>> {
  const request = await hashRequest(input);
  if (input.cursor === undefined)
    return ok({ user, request, startedAt: now, shown: [], continued: null, rows: [] });
  const position = await openPosition(await pseudonymKeysOf(env), application, input.cursor);
  if (position === null || position.user !== user)
    return refuseCursor(
      "is not a cursor of this user's list",
      "`cursor` is not a cursor of a list of this user. Send the `next` of the page before, unchanged.",
    );
  if (position.request !== request)
    return refuseCursor(
      "belongs to a list with other fields",
      "`cursor` belongs to another request. Send the fields of the first page again: only `limit`, `location`, `explain` and `budgetMs` may differ.",
    );
  const { startedAt, shown, first, seed } = position;
  if (now >= startedAt + listSeconds)
    return refuseCursor(
      "has expired",
      "The list is older than 30 minutes and cannot be continued. Ask for its first page again, without `cursor`.",
    );
  try {
    // Any version that was ever current will do.
    const wanted = shown.map((productId) => ({ productId, version: 1 }));
    const cards = unwrap(await loadCardsById(env.PRODUCT, application, wanted), "the product service");
    const rows = shown.flatMap((productId) => {
      const card = cards.get(productId);
      return card ? [shownRowOf(card)] : [];
    });
    return ok({ user, request, startedAt, shown, continued: { first, seed }, rows });
  } catch (error) {
    console.error({ event: "products of pages before not read", error: errorText(error) });
    return refuse("unavailable", "The products of the pages before cannot be read now; retry the request.", {
      retryAfter: 1,
    });
  }
}

/** A page of a list, as it is shown. */
interface ShownPage {
  recommendationId: string;
  productIds: readonly string[];
  /** Whether products are known that follow those of the page. */
  hasMore: boolean;
}

/** Returns the cursor of the page after a page; null if the list ends with it. */
export async function nextCursor(
  env: Pick<RecommendationEnv, "PSEUDONYM_SECRET">,
  application: string,
  { user, request, startedAt, shown: before, continued }: ContinuedList,
  { recommendationId, productIds, hasMore }: ShownPage,
): Promise<string | null> {
  const shown = [...before, ...productIds];
  if (!hasMore || productIds.length === 0 || shown.length >= maxListLength) return null;
  const [seed] = crypto.getRandomValues(new Uint32Array(1));
  return sealPosition(await pseudonymKeysOf(env), application, {
    ...{ user, request, startedAt, shown, seed },
    first: continued?.first ?? recommendationId,
  });
}

/** Returns what rules read of the product of a card. */
const shownRowOf = ({
  id,
  category,
  location,
  price,
  currency,
  discount,
  rating,
  groupId,
  columns,
}: ProductCard): ShownProductRow => ({
  ...{ productId: id, category, currency, discount, rating, groupId },
  lat: location?.lat ?? null,
  lon: location?.lon ?? null,
  priceMinor: price === null ? null : nearestMinorUnits(price, currency),
  ...(columns ? { optional: columns } : {}),
});

/** Returns a generator of random numbers in [0, 1) from a seed. */
export function randomOf(seed: number): () => number {
  const random = new Random(seed);
  return () => random.next();
}

/**
 * Returns whether products may follow those of a page that shows `shown` products: the ranking has more that can be listed,
 * or the search stopped at its limit.
 */
export const hasMore = (
  { items, spare, candidates }: PipelineAnswer,
  { unlisted }: Pick<RecordedInputs, "unlisted">,
  shown: number,
  input: Pick<CompleteRecommendationInput, "limit" | "candidates">,
): boolean =>
  candidates.length >= Math.max(input.candidates, input.limit) ||
  (shown === input.limit && items.length + spare().length > shown + unlisted.length);
