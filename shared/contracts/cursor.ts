import type * as z from "zod";
import type { Page } from "./page.ts";
import { ok, type Result, refuse } from "./result.ts";

/** Returns a position in a list as an opaque, URL-safe string: the `nextCursor` of a page. */
export const encodeCursor = (position: unknown): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(position))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/**
 * Returns the position that {@link encodeCursor} put into a cursor, or null without a cursor.
 * Refuses with `not_found` if the cursor does not decode to `schema`.
 */
export function decodeCursor<S extends z.ZodType>(
  schema: S,
  cursor: string | undefined,
): Result<z.infer<S> | null> {
  if (cursor === undefined) return ok(null);
  try {
    const bytes = Uint8Array.from(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    if (parsed.success) return ok(parsed.data);
  } catch {
    // Not base64 or not JSON: refused below, like a position that does not match the schema.
  }
  return refuse(
    "not_found",
    "`cursor` is not a cursor of this list. Send the `nextCursor` of the previous page.",
    {
      issues: [{ path: "cursor", message: "is not a cursor of this list" }],
    },
  );
}

/**
 * Returns a page of at most `limit` items. The caller reads `limit + 1` rows: the page has a `nextCursor` only if the
 * extra row exists. `positionOf` returns the position of a row in the list, which the cursor encodes.
 */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  itemOf: (row: Row) => Item,
  positionOf: (row: Row) => unknown,
): Page<Item> {
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    items: items.map(itemOf),
    ...(last === undefined ? {} : { nextCursor: encodeCursor(positionOf(last)) }),
  };
}
