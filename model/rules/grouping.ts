import type { Grouping } from "../../shared/contracts/rules.ts";
import { categoryOf, groupIdOf } from "../columns/columns.ts";
import type { BlockRow } from "../features/list-summary.ts";

/** Returns the group of a product; null if it has none. */
export type ReadGroup = (row: BlockRow) => string | null;

/** How to read the groups that each property forms. */
export const groupReaders: Readonly<Record<Grouping, ReadGroup>> = {
  group: ({ block, row }) => groupIdOf(block, row),
  category: ({ block, row }) => categoryOf(block, row),
};
