import type { z } from "zod";
import { ok, type Result, refuse } from "./result.ts";
import type { Page } from "./services.ts";

/** Where a page ended, as an opaque string. */
export const encodeCursor = (position: unknown): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(position))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** The position in a cursor, parsed; null where there is none, a refusal where it was not made here. */
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
    // Not base64 or not JSON: the same refusal as for a position of another form.
  }
  return refuse("not_found", "There is no such page: the cursor is not one that a page before gave.", {
    issues: [{ path: "cursor", message: "is not a cursor of this list" }],
  });
}

/**
 * A page of at most `limit` items, from rows of which one more than that was asked for: only where it came is there a
 * next page. `positionOf` says where a row stands in the list.
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
