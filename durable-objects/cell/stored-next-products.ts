import type { NextProduct } from "../../model/columns/columns.ts";

/** A next product as a cell stores it. */
export interface StoredNextProduct extends NextProduct {
  /**
   * Short hashes of the users who made the transition, while there are too few of them to show it; then their number.
   * Absent in rows of version 0.2.
   */
  users?: readonly number[] | number;
}

/** Maximum number of next products that are stored for a product. A tile shows the strongest of these. */
const maxStored = 64;

/** Returns whether at least `minUsers` different users made the transition. */
const isShown = ({ users }: StoredNextProduct, minUsers: number): boolean =>
  typeof users === "number" && users >= minUsers;

/** Returns both lists of users as one. A number from before `minUsers` was raised counts as no users. */
function mergeUsers(
  lists: readonly StoredNextProduct["users"][],
  minUsers: number,
): StoredNextProduct["users"] {
  const hashes = new Set<number>();
  for (const users of lists) {
    if (typeof users === "number" && users >= minUsers) return users;
    if (typeof users === "object") for (const each of users) hashes.add(each);
  }
  return hashes.size >= minUsers ? hashes.size : [...hashes];
}

/** Returns both lists as one, in which a product has the sum of its weights, all of its users, and its last cell. */
export function mergeNextProducts(
  nextProducts: readonly StoredNextProduct[],
  added: readonly StoredNextProduct[],
  minUsers: number,
): StoredNextProduct[] {
  const all = new Map<string, StoredNextProduct>();
  for (const each of [...nextProducts, ...added]) {
    const before = all.get(each.productId);
    all.set(each.productId, {
      ...each,
      weight: each.weight + (before?.weight ?? 0),
      users: mergeUsers([before?.users, each.users], minUsers),
    });
  }
  return [...all.values()];
}

/**
 * Returns the next products that a cell keeps: those that a tile may show, then the others, the strongest first. So the
 * transitions of a single user replace none that many users made.
 */
export const keptNextProducts = (
  nextProducts: readonly StoredNextProduct[],
  minUsers: number,
): StoredNextProduct[] =>
  [...nextProducts]
    .sort(
      (a, b) =>
        Number(isShown(b, minUsers)) - Number(isShown(a, minUsers)) ||
        b.weight - a.weight ||
        (a.productId < b.productId ? -1 : 1),
    )
    .slice(0, maxStored);

/** Returns the next products that a tile may show: at least `minUsers` different users made the transition. */
export const shownNextProducts = (
  nextProducts: readonly StoredNextProduct[],
  minUsers: number,
): NextProduct[] =>
  nextProducts
    .filter((each) => isShown(each, minUsers))
    .map(({ productId, cell, weight }) => ({ productId, cell, weight }));
