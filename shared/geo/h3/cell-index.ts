import { pentagons } from "./tables.ts";

// An H3 index has 64 bits: 0, four bits of the mode (1 for a cell), three zeros, four of the resolution, seven of the base
// cell, and three for the digit of each of 15 resolutions, coarsest first. Digits below the cell's resolution are 7.
// https://h3geo.org/docs/core-library/h3Indexing

/** The parts of a cell's index. */
export interface CellIndex {
  /** One of the 122 cells of resolution 0. */
  baseCell: number;
  /** The way from the base cell down to the cell: one digit for each resolution, 0 for the center, else 1 to 6. */
  digits: number[];
}

const maxResolution = 15;
const baseCells = 122;
const unused = 7;
const cellText = /^8[0-9a-f]{14}$/;
/** The hexadecimal digits of the lower 32 bits. */
const lowerDigits = 8;

/** Returns the text of an index: 15 hexadecimal digits. */
export function formatIndex({ baseCell, digits }: CellIndex): string {
  const resolution = digits.length;
  let upper = (1 << 27) | (resolution << 20) | (baseCell << 13);
  let lower = 0;
  for (let at = 1; at <= maxResolution; at++) {
    const digit = at <= resolution ? digits[at - 1] : unused;
    if (at < 5) upper |= digit << (13 - 3 * at);
    else if (at > 5) lower |= digit << (3 * (maxResolution - at));
    else {
      upper |= digit >> 2;
      lower |= digit << 30;
    }
  }
  return upper.toString(16) + (lower >>> 0).toString(16).padStart(lowerDigits, "0");
}

const upperOf = (cell: string): number => Number.parseInt(cell.slice(0, -lowerDigits), 16);

/** Returns the resolution of a cell, 0 to 15. */
export const getResolution = (cell: string): number => (upperOf(cell) >> 20) & 15;

/** Returns the parts of a cell's index. Throws if the text is not that of a cell. */
export function parseIndex(cell: string): CellIndex {
  if (!cellText.test(cell)) throw new Error(`"${cell}" is not the index of an H3 cell.`);
  const upper = upperOf(cell);
  const lower = Number.parseInt(cell.slice(-lowerDigits), 16);
  const digits: number[] = [];
  const resolution = (upper >> 20) & 15;
  for (let at = 1; at <= resolution; at++) {
    if (at < 5) digits.push((upper >> (13 - 3 * at)) & 7);
    else if (at === 5) digits.push(((upper & 1) << 2) | (lower >>> 30));
    else digits.push((lower >>> (3 * (maxResolution - at))) & 7);
  }
  return { baseCell: (upper >> 13) & 127, digits };
}

/** Returns the first digit that is not 0; 0 if all are. */
export function firstDigit(digits: readonly number[]): number {
  for (const digit of digits) if (digit !== 0) return digit;
  return 0;
}

/** Returns whether the cell lies at a vertex of the icosahedron, where it has five neighbors. */
export const isPentagon = ({ baseCell, digits }: CellIndex): boolean =>
  pentagons.has(baseCell) && firstDigit(digits) === 0;

/** Returns whether a text is the index of a cell, in the form that {@link formatIndex} returns. */
export function isValidCell(cell: string): boolean {
  if (!cellText.test(cell)) return false;
  const index = parseIndex(cell);
  if (index.baseCell >= baseCells || index.digits.includes(unused)) return false;
  // The part of a pentagon in direction 1 does not exist.
  if (pentagons.has(index.baseCell) && firstDigit(index.digits) === 1) return false;
  return formatIndex(index) === cell;
}

/** Returns the cell of a coarser resolution, or the same, that contains a cell. Throws for a finer one. */
export function cellToParent(cell: string, resolution: number): string {
  const { baseCell, digits } = parseIndex(cell);
  if (resolution > digits.length)
    throw new Error(
      `A cell of resolution ${digits.length} has no parent of resolution ${resolution}: "${cell}".`,
    );
  return formatIndex({ baseCell, digits: digits.slice(0, resolution) });
}

/** Returns the cells of a finer resolution, or the same, that a cell contains, in the order of their digits. */
export function cellToChildren(cell: string, resolution: number): string[] {
  let indexes = [parseIndex(cell)];
  while (indexes[0].digits.length < resolution)
    indexes = indexes.flatMap((index) =>
      [0, 1, 2, 3, 4, 5, 6]
        .filter((digit) => digit !== 1 || !isPentagon(index))
        .map((digit) => ({ baseCell: index.baseCell, digits: [...index.digits, digit] })),
    );
  return indexes.map(formatIndex);
}

/** Returns the cell of a finer resolution, or the same, at the center of a cell. */
export function cellToCenterChild(cell: string, resolution: number): string {
  const { baseCell, digits } = parseIndex(cell);
  return formatIndex({ baseCell, digits: [...digits, ...Array(resolution - digits.length).fill(0)] });
}
