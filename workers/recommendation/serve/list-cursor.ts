import * as z from "zod";
import { identifier, plainId } from "../../../shared/contracts/primitives.ts";
import { maxCursorLength, type RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import { base64urlOf, bytesOfBase64url } from "../../../shared/encoding/base64url.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";
import type { PseudonymKeys } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { seal, unseal } from "../../../shared/pseudonyms/sealed-bytes.ts";

/** Products that all pages of a list show together, at most. */
export const maxListLength = 500;

/** What the next page of a list needs to know of the pages before. */
const listPosition = z.object({
  /** Id of the user's object, in hexadecimal. */
  user: z.string(),
  /** Hash of the request: see {@link hashRequest}. */
  request: z.string(),
  /** When the first page was made, in seconds since the epoch. */
  startedAt: z.number(),
  /** The recommendation id of the first page. */
  first: plainId,
  /** Seed of what exploration draws, so that the same cursor gives the same page again. */
  seed: z.number().int(),
  /** The products of all pages before, in their order. */
  shown: z.array(identifier).min(1).max(maxListLength),
});
export type ListPosition = z.infer<typeof listPosition>;

const cursorText = new RegExp(`^[A-Za-z0-9_-]{1,${maxCursorLength}}$`);

const purposeOf = (application: string): string => `list:${application}`;

/** Returns a position as an opaque text that only this deployment can read. */
export const sealPosition = (
  { cursor: key }: Pick<PseudonymKeys, "cursor">,
  application: string,
  position: ListPosition,
): Promise<string> =>
  seal(key, purposeOf(application), new Uint8Array(new TextEncoder().encode(JSON.stringify(position))));

/** Returns the position that {@link sealPosition} sealed for an application; null for any other text. */
export async function openPosition(
  { cursor: key }: Pick<PseudonymKeys, "cursor">,
  application: string,
  cursor: string,
): Promise<ListPosition | null> {
  // One position has one text: no character may change without a refusal.
  if (!cursorText.test(cursor) || cursor.length % 4 === 1) return null;
  if (base64urlOf(bytesOfBase64url(cursor)) !== cursor) return null;
  const bytes = await unseal(key, purposeOf(application), cursor);
  return bytes && listPosition.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

/** Returns a value whose objects have their fields in the order of their names. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, inOrder(field)]);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Returns a hash of what makes a request another list. A page may have another length, place, explanation and budget than
 * the one before.
 */
export function hashRequest({
  cursor: _cursor,
  limit: _limit,
  location: _location,
  explain: _explain,
  budgetMs: _budget,
  exclude = [],
  filter = {},
  ...request
}: RecommendationInput): Promise<string> {
  return sha256OfText(JSON.stringify(inOrder({ ...request, exclude, filter })));
}
