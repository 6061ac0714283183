import fc from "fast-check";
import * as h3 from "h3-js";
import { describe, expect, it } from "vitest";
import {
  cellToCenterChild,
  cellToChildren,
  cellToParent,
  getResolution,
  isValidCell,
  parseIndex,
} from "./cell-index.ts";
import { cellAndNeighbors, cellToLatLng, latLngToCell } from "./points.ts";

const resolutions = fc.integer({ min: 0, max: 15 });
/** Points in degrees, evenly on the sphere, with the poles and the meridians of 0 and 180 degrees among them. */
const points = fc.oneof(
  fc
    .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -180, max: 180, noNaN: true }))
    .map(([sine, lon]) => ({ lat: (Math.asin(sine) * 180) / Math.PI, lon })),
  fc.record({ lat: fc.constantFrom(-90, -45, 0, 45, 90), lon: fc.constantFrom(-180, -90, 0, 90, 180) }),
);
/** Cells at most two steps from a pentagon, where the faces of the icosahedron meet. */
const cellsNearPentagons = fc.tuple(resolutions, fc.nat(), fc.nat()).map(([resolution, pentagon, near]) => {
  const around = h3.gridDisk(h3.getPentagons(resolution)[pentagon % 12], 2);
  return around[near % around.length];
});
const cells = fc.oneof(
  fc.tuple(points, resolutions).map(([{ lat, lon }, resolution]) => h3.latLngToCell(lat, lon, resolution)),
  cellsNearPentagons,
);
const runs = { numRuns: 2000 };

describe("cells of the H3 grid", () => {
  it("are those of h3-js for every point and resolution", () => {
    fc.assert(
      fc.property(points, resolutions, ({ lat, lon }, resolution) => {
        expect(latLngToCell(lat, lon, resolution)).toBe(h3.latLngToCell(lat, lon, resolution));
      }),
      runs,
    );
  });

  it("have the centers of h3-js, within a nanometer", () => {
    fc.assert(
      fc.property(cells, (cell) => {
        const [lat, lon] = cellToLatLng(cell);
        const [expectedLat, expectedLon] = h3.cellToLatLng(cell);
        expect(Math.abs(lat - expectedLat)).toBeLessThan(1e-14 + 1e-13 * Math.abs(lat));
        expect(Math.abs(lon - expectedLon)).toBeLessThan(1e-14 + 1e-13 * Math.abs(lon));
        expect(latLngToCell(lat, lon, getResolution(cell))).toBe(cell);
      }),
      runs,
    );
  });

  it("have the parents and children of h3-js", () => {
    fc.assert(
      fc.property(cells, resolutions, (cell, other) => {
        const resolution = h3.getResolution(cell);
        expect(getResolution(cell)).toBe(resolution);
        if (other <= resolution) expect(cellToParent(cell, other)).toBe(h3.cellToParent(cell, other));
        else expect(cellToCenterChild(cell, other)).toBe(h3.cellToCenterChild(cell, other));
        const finer = Math.min(15, resolution + 2);
        expect(cellToChildren(cell, finer)).toEqual(h3.cellToChildren(cell, finer));
      }),
      { numRuns: 500 },
    );
  });

  it("have the neighbors of h3-js, also around pentagons", () => {
    fc.assert(
      fc.property(cells, (cell) => {
        const found = cellAndNeighbors(cell);
        expect(found[0]).toBe(cell);
        expect(found.sort()).toEqual(h3.gridDisk(cell, 1).sort());
      }),
      runs,
    );
  });

  it("are told from other texts as h3-js does", () => {
    const digits = fc.stringMatching(/^8[0-9a-f]{14}$/);
    const altered = fc.tuple(cells, fc.integer({ min: 1, max: 14 }), fc.stringMatching(/^[0-9a-f]$/));
    const texts = fc.oneof(
      cells,
      digits,
      altered.map(([cell, at, digit]) => cell.slice(0, at) + digit + cell.slice(at + 1)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(isValidCell(text)).toBe(h3.isValidCell(text));
      }),
      runs,
    );
    for (const text of ["", "world", "8", "85283473fffffff ", "085283473fffffff", "85283473FFFFFFF"])
      expect(isValidCell(text), text).toBe(false);
  });

  it("are refused where the text or the point is none", () => {
    expect(() => parseIndex("world")).toThrow('"world" is not the index of an H3 cell');
    expect(() => cellToParent("85283473fffffff", 6)).toThrow("has no parent of resolution 6");
    expect(() => latLngToCell(Number.NaN, 0, 5)).toThrow("finite");
  });
});
