import { hash53 } from "../../columns/hash.ts";
import { allEvents, type Dataset } from "../dataset.ts";

/** Distinct products from which a joined account is complete. */
const minProducts = 500;

/**
 * Joins users to accounts with at least 500 distinct products each, as households and companies have them. Users join in the order of a hash
 * of their ids; each event keeps its time and its part. The last account may stay smaller.
 */
export function joinedUsers(dataset: Dataset): Dataset {
  const products = new Map<string, Set<string>>();
  for (const { userId, itemId } of allEvents(dataset))
    products.set(userId, (products.get(userId) ?? new Set()).add(itemId));
  const accounts = new Map<string, string>();
  let account = "";
  let known = new Set<string>();
  for (const userId of [...products.keys()].sort((a, b) => hash53(a) - hash53(b))) {
    if (account === "") account = userId;
    accounts.set(userId, account);
    for (const itemId of products.get(userId) ?? []) known.add(itemId);
    if (known.size < minProducts) continue;
    account = "";
    known = new Set();
  }
  const join = (part: Dataset["train"]): Dataset["train"] =>
    part.map((event) => ({ ...event, userId: accounts.get(event.userId) ?? event.userId }));
  return { ...dataset, train: join(dataset.train), valid: join(dataset.valid), test: join(dataset.test) };
}
