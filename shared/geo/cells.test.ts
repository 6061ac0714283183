import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addressOf,
  addressRange,
  cellCenter,
  childCells,
  directoryCell,
  directoryCellsAround,
  holdsProducts,
  isCellName,
  leafCell,
  leafCellAt,
  nextCellToward,
  parentCell,
  shardCount,
  worldCell,
} from "./cells.ts";

const point = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});
/** A product id's hash: an integer of at most 53 bits. */
const hash = fc.nat(Number.MAX_SAFE_INTEGER);
const optionalPoint = fc.option(point);

/** Returns the cells that may hold a product, coarsest first. */
function pathOf(address: string, idHash: number): string[] {
  const path: string[] = [];
  for (let cell: string | null = leafCell(address); cell; cell = nextCellToward(cell, address, idHash))
    path.push(cell);
  return path;
}

describe("the path of an address", () => {
  it("leads from the leaf cell down, each cell a child of the previous one, and ends", () => {
    fc.assert(
      fc.property(optionalPoint, hash, (at, id) => {
        const path = pathOf(addressOf(at, id), id);
        expect(path.length).toBe(at ? 12 : 8);
        expect(path.every((cell) => isCellName(cell) && holdsProducts(cell))).toBe(true);
        for (const [i, cell] of path.slice(1).entries()) {
          expect(childCells(path[i])).toContain(cell);
          expect(parentCell(cell)).toBe(path[i]);
        }
        expect(childCells(path[path.length - 1])).toEqual([]);
      }),
    );
  });

  it("is the same for all products at an address, until it splits by id into equal shards", () => {
    const address = addressOf({ lat: 48.85, lon: 2.35 }, 0);
    const children = new Map<string | null, number>();
    for (let i = 0; i < 8000; i++) {
      const child = nextCellToward(address, address, i * 1_125_899_907);
      children.set(child, (children.get(child) ?? 0) + 1);
    }
    expect(children.size).toBe(shardCount);
    expect(Math.min(...children.values())).toBeGreaterThan(800);
  });

  it("lies within the address range of every cell on it, and ranges of other cells do not overlap", () => {
    fc.assert(
      fc.property(optionalPoint, hash, optionalPoint, hash, (at, id, other, otherId) => {
        const address = addressOf(at, id);
        const theirs = addressOf(other, otherId);
        for (let cell: string | null = leafCell(address); cell; cell = parentCell(cell)) {
          const { first, last } = addressRange(cell);
          expect(first <= address && address <= last).toBe(true);
          const path: string[] = [];
          for (let each: string | null = leafCell(theirs); each; each = parentCell(each)) path.push(each);
          if (!path.includes(cell)) expect(first <= theirs && theirs <= last).toBe(false);
        }
      }),
    );
  });
});

describe("parentCell", () => {
  it("leads from every leaf cell up to the world", () => {
    fc.assert(
      fc.property(optionalPoint, fc.nat(), (location, idHash) => {
        const path: string[] = [];
        for (let cell: string | null = leafCellAt(location, idHash); cell; cell = parentCell(cell))
          path.push(cell);
        expect(path.every(isCellName)).toBe(true);
        expect(path.at(-1)).toBe(worldCell);
        expect(path.length).toBe(location ? 4 : 2);
      }),
    );
    expect(isCellName("world-9")).toBe(false);
    expect(isCellName("x")).toBe(false);
    expect(cellCenter(worldCell)).toBeNull();
  });
});

describe("the directories around a point", () => {
  it("are the world, and those of nearly all products within reach, with all cells above", () => {
    let found = 0;
    let missing = 0;
    fc.assert(
      fc.property(point, fc.double({ min: -0.5, max: 0.5, noNaN: true }), (here, north) => {
        const cells = directoryCellsAround(here, 60);
        expect(cells[0]).toBe(worldCell);
        for (const cell of cells) {
          expect(directoryCell(cell)).toBe(cell);
          const parent = parentCell(cell);
          if (parent !== null) expect(cells.indexOf(parent)).toBeLessThan(cells.indexOf(cell));
        }
        expect(cells).toContain(directoryCell(leafCellAt(here, 0)));
        const near = { lat: Math.max(-90, Math.min(90, here.lat + north)), lon: here.lon };
        if (cells.includes(directoryCell(leafCellAt(near, 0)))) found++;
        else missing++;
      }),
      { numRuns: 500 },
    );
    expect(missing / (found + missing)).toBeLessThan(0.02);
  });

  it("are the world alone without a point, and for products without a location", () => {
    expect(directoryCellsAround(null, 60)).toEqual([worldCell]);
    expect(directoryCell("world-37")).toBe(worldCell);
  });
});
