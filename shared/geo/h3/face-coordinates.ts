import { type CellIndex, firstDigit } from "./cell-index.ts";
import { baseCellHomes, faceBaseCells, faceNeighbors, pentagons } from "./tables.ts";

/**
 * Coordinates of a cell on a face of the icosahedron: three axes at 120 degrees, of which at least one coordinate is 0 and
 * none is negative.
 */
export interface Ijk {
  i: number;
  j: number;
  k: number;
}

/** A cell by its coordinates on a face. Coordinates beyond the face's sides are those of the face's plane. */
export interface FaceIjk extends Ijk {
  face: number;
}

/** Steps to the neighbors of a cell by digit; none for digit 0. */
export const unitSteps: readonly Readonly<Ijk>[] = [
  { i: 0, j: 0, k: 0 },
  { i: 0, j: 0, k: 1 },
  { i: 0, j: 1, k: 0 },
  { i: 0, j: 1, k: 1 },
  { i: 1, j: 0, k: 0 },
  { i: 1, j: 0, k: 1 },
  { i: 1, j: 1, k: 0 },
];

/** Returns the digit of a step to a neighbor. */
const digitOf = ({ i, j, k }: Readonly<Ijk>): number => 4 * i + 2 * j + k;

/** Returns whether the axes of a resolution are turned: of each odd one. */
export const isTurned = (resolution: number): boolean => resolution % 2 === 1;

function set(at: Ijk, i: number, j: number, k: number): void {
  const min = Math.min(i, j, k);
  at.i = i - min;
  at.j = j - min;
  at.k = k - min;
}

/** Adds a step to coordinates. */
export const addStep = (at: Ijk, { i, j, k }: Readonly<Ijk>): void => set(at, at.i + i, at.j + j, at.k + k);

/** Replaces coordinates by those of the same center in the next finer resolution. `turned` is that of the finer one. */
function refine(at: Ijk, turned: boolean): void {
  const { i, j, k } = at;
  if (turned) set(at, 3 * i + j, 3 * j + k, i + 3 * k);
  else set(at, 3 * i + k, i + 3 * j, j + 3 * k);
}

/** Replaces coordinates by those of the cell that contains them in the next coarser resolution. `turned` is that of the finer one. */
function coarsen(at: Ijk, turned: boolean): void {
  const i = at.i - at.k;
  const j = at.j - at.k;
  if (turned) set(at, Math.round((3 * i - j) / 7), Math.round((i + 2 * j) / 7), 0);
  else set(at, Math.round((2 * i + j) / 7), Math.round((3 * j - i) / 7), 0);
}

/** Turns coordinates by 60 degrees counterclockwise around the origin. */
const turnCounterclockwise = (at: Ijk): void => set(at, at.i + at.k, at.i + at.j, at.j + at.k);
/** Turns coordinates by 60 degrees clockwise around the origin. */
const turnClockwise = (at: Ijk): void => set(at, at.i + at.j, at.j + at.k, at.i + at.k);

/** The digit after a turn of 60 degrees, by digit. */
const counterclockwise = [0, 5, 3, 1, 6, 4, 2] as const;
const clockwise = [0, 3, 6, 2, 5, 1, 4] as const;

const turnDigits = (digits: number[], turn: readonly number[]): number[] =>
  digits.map((digit) => turn[digit]);

/** Turns the digits of a pentagon's part by 60 degrees counterclockwise, over the direction that it lacks. */
function turnPentagonDigits(digits: number[]): number[] {
  const turned = turnDigits(digits, counterclockwise);
  return firstDigit(turned) === 1 ? turnDigits(turned, counterclockwise) : turned;
}

/** Returns the index of the cell at coordinates of a resolution on a face. */
export function faceToIndex({ face, ...coordinates }: FaceIjk, resolution: number): CellIndex {
  const at = coordinates;
  const step: Ijk = { i: 0, j: 0, k: 0 };
  let digits: number[] = Array(resolution).fill(0);
  for (let finer = resolution; finer > 0; finer--) {
    const { i, j, k } = at;
    coarsen(at, isTurned(finer));
    step.i = at.i;
    step.j = at.j;
    step.k = at.k;
    refine(step, isTurned(finer));
    set(step, i - step.i, j - step.j, k - step.k);
    digits[finer - 1] = digitOf(step);
  }
  const { cells, turns } = faceBaseCells[face];
  const position = 9 * at.i + 3 * at.j + at.k;
  const baseCell = cells[position];
  const turnsClockwise = pentagons.get(baseCell);
  if (turnsClockwise && firstDigit(digits) === 1)
    digits = turnDigits(digits, turnsClockwise.includes(face) ? clockwise : counterclockwise);
  for (let turn = Number(turns[position]); turn > 0; turn--)
    digits = turnsClockwise ? turnPentagonDigits(digits) : turnDigits(digits, counterclockwise);
  return { baseCell, digits };
}

/**
 * If coordinates lie beyond a side of their face, replaces them by those on the face beside it. Returns whether they did.
 * `resolution` is an even one. `inFourth` says that a pentagon's part in direction 4 lies beyond the direction it lacks.
 */
function continueOnNeighbor(at: FaceIjk, resolution: number, inFourth: boolean): boolean {
  const unit = 7 ** (resolution / 2);
  const side = 2 * unit;
  if (at.i + at.j + at.k <= side) return false;
  const direction = at.k > 0 ? (at.j > 0 ? "jk" : "ki") : "ij";
  if (direction === "ki" && inFourth) {
    const around = { i: 0, j: 0, k: 0 };
    set(around, at.i - side, at.j, at.k);
    turnClockwise(around);
    set(at, around.i + side, around.j, around.k);
  }
  const { face, translate, turns } = faceNeighbors[at.face][direction];
  at.face = face;
  for (let turn = 0; turn < turns; turn++) turnCounterclockwise(at);
  const [i, j, k] = translate;
  set(at, at.i + i * unit, at.j + j * unit, at.k + k * unit);
  return true;
}

/** Returns the coordinates of a cell, on the face that contains its center. */
export function indexToFace(index: CellIndex): FaceIjk {
  const { baseCell } = index;
  const isInPentagon = pentagons.has(baseCell);
  const resolution = index.digits.length;
  const digits =
    isInPentagon && firstDigit(index.digits) === 5 ? turnDigits(index.digits, clockwise) : index.digits;
  const [face, home] = baseCellHomes[baseCell];
  const at: FaceIjk = { face, i: Number(home[0]), j: Number(home[1]), k: Number(home[2]) };
  const isWithinFace = !isInPentagon && (resolution === 0 || home === "000");
  for (let finer = 1; finer <= resolution; finer++) {
    refine(at, isTurned(finer));
    addStep(at, unitSteps[digits[finer - 1]]);
  }
  if (isWithinFace) return at;
  const found = { ...at };
  const even = isTurned(resolution) ? resolution + 1 : resolution;
  if (even !== resolution) refine(found, false);
  if (!continueOnNeighbor(found, even, isInPentagon && firstDigit(digits) === 4)) return at;
  if (isInPentagon) while (continueOnNeighbor(found, even, false));
  if (even !== resolution) coarsen(found, false);
  return found;
}
