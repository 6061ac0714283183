import type { LastChoice, Wanted } from "../../shared/contracts/retrieval.ts";
import { type Columns, neighboursOf } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { distinctChoices } from "../features/context.ts";
import { type Person, stepKey } from "../profile/profile.ts";
import { rowOfHash } from "../retrieval/tiles.ts";
import type { Source } from "./source.ts";

/** The last choices whose followers are asked for. */
export const lastChoices = 3;

/** The last choices, the newest first. */
export const lastChoicesOf = ({ recent }: Person): string[] =>
  distinctChoices(recent.filter(({ type }) => type !== "dismiss").reverse())
    .slice(0, lastChoices)
    .map(({ productId }) => productId);

/** The last choices, the newest first, each with what the person went on to from it before. */
export function lastOf(person: Person): LastChoice[] {
  const last = lastChoicesOf(person).map((productId) => ({
    productId,
    prefix: stepKey(productId, ""),
    steps: [] as Wanted[],
  }));
  for (const key of person.steps.keys())
    for (const { prefix, steps } of last) {
      if (!key.startsWith(prefix)) continue;
      const productId = key.slice(prefix.length);
      const cell = person.products.get(productId)?.cell ?? null;
      if (cell !== null) steps.push({ productId, cell });
    }
  return last.map(({ productId, steps }) => ({ productId, steps }));
}

/** Followers of the last choices that are in none of the blocks, each once. */
function missingIn(blocks: readonly Columns[], last: readonly LastChoice[]): Wanted[] {
  const missing = new Map<string, string>();
  const want = ({ productId, cell }: Wanted): void => {
    const hash = hash53(productId);
    if (!blocks.some((block) => rowOfHash(block, hash) !== undefined)) missing.set(productId, cell);
  };
  for (const { productId, steps } of last) {
    steps.forEach(want);
    for (const block of blocks) {
      const row = rowOfHash(block, hash53(productId));
      if (row === undefined) continue;
      neighboursOf(block, row).forEach(want);
      break;
    }
  }
  return [...missing].map(([productId, cell]) => ({ productId, cell }));
}

/**
 * What followed what they just did, for them and for everyone. It reads neighbour columns out of blocks that other
 * sources brought, and fetches only products that are in none of them.
 */
export const followed: Source = {
  name: "followed",
  find: async (shelves, { last }, brought) => {
    const missing = missingIn(brought, last);
    return missing.length > 0 ? shelves.columns(missing, 0) : null;
  },
};
