import { cellOf } from "../../durable-objects/cell.ts";
import type { CellContent, CellRange } from "../shared/contracts/rebuild.ts";
import { isLeaf, worldCell } from "../shared/geo/cells.ts";
import { inTurn } from "./apply.ts";

/** Leaf cells that ever handed up to their parents, found from the world down. */
async function knownLeaves(cells: LocationEnv["CELL"], application: string): Promise<string[]> {
  const leaves: string[] = [];
  for (let level = [worldCell]; level.length > 0; ) {
    const below: string[] = [];
    await inTurn(level, async (cell) => {
      for (const child of await cellOf(cells, application, cell).childCells())
        (isLeaf(child) ? leaves : below).push(child);
      return 0;
    });
    level = below;
  }
  return leaves;
}

/** Makes leaf cells of a range hold exactly `contents`; those that hold something and are not named are emptied. */
export async function rebuild(
  cells: LocationEnv["CELL"],
  application: string,
  { after, upTo }: CellRange,
  contents: readonly CellContent[],
): Promise<number> {
  const named = new Set(contents.map(({ cell }) => cell));
  const strays = (await knownLeaves(cells, application)).filter(
    (cell) => cell > after && (upTo === null || cell <= upTo) && !named.has(cell),
  );
  return inTurn(
    [...contents, ...strays.map((cell) => ({ cell, products: [] }))],
    async ({ cell, products }) => {
      await cellOf(cells, application, cell).rebuild(application, cell, products);
      return 1;
    },
  );
}
