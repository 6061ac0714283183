import { neighboursOf } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { distinctChoices } from "../features/context.ts";
import { stepKey } from "../person/person.ts";
import { rowOfHash } from "../retrieval/tiles.ts";
import type { Source } from "./source.ts";

/** The last choices whose followers are asked for. */
const lastChoices = 3;

/**
 * What followed what they just did, for them and for everyone. It reads neighbour columns out of blocks that other
 * sources brought, and fetches only products that are in none of them.
 */
export const followed: Source = {
  name: "followed",
  find: async ({ person, places }, blocks) => {
    const choices = distinctChoices(person.recent.filter((each) => each.type !== "dismiss").reverse()).slice(
      0,
      lastChoices,
    );
    const known = (id: string): boolean => blocks.some((block) => rowOfHash(block, hash53(id)) !== undefined);
    const missing = new Map<string, string>();
    for (const { productId } of choices) {
      for (const [id, memory] of person.products)
        if (person.steps.has(stepKey(productId, id)) && memory.cell !== null && !known(id))
          missing.set(id, memory.cell);
      for (const block of blocks) {
        const row = rowOfHash(block, hash53(productId));
        if (row === undefined) continue;
        for (const neighbour of neighboursOf(block, row))
          if (!known(neighbour.productId)) missing.set(neighbour.productId, neighbour.cell);
        break;
      }
    }
    if (missing.size === 0) return [];
    return [
      await places.columns(
        [...missing].map(([productId, cell]) => ({ productId, cell })),
        0,
      ),
    ];
  },
};
