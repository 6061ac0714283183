import type { Pin } from "../../shared/contracts/rules.ts";
import { hash53 } from "../columns/hash.ts";
import { compileCondition } from "./condition.ts";
import type { RankedRow } from "./ranked-row.ts";
import type { Rule } from "./rule.ts";

/** Returns the pins that hold at a time, in seconds since the epoch. */
export const pinsAt = (pins: readonly Pin[], now: number): Pin[] =>
  pins.filter(
    ({ from, until }) =>
      (from === undefined || Date.parse(from) / 1000 <= now) &&
      (until === undefined || now < Date.parse(until) / 1000),
  );

/**
 * Puts products at positions: a named one, or the best that meets a condition and that no pin names. A product that is not
 * available, or that a filter or another rule leaves out, holds no position. Each product and each position is taken once,
 * by the first pin in the order of positions. A pin after the end of the list keeps its product for a later page.
 */
export const pinsRule: Rule = {
  name: "pins",
  prepare({ pins = [], offset = 0 }, context) {
    const atThisTime = pinsAt(pins, context.now);
    const names = atThisTime.flatMap(({ productId }) => productId ?? []);
    const active = atThisTime
      .map((each) => ({ ...each, position: each.position - offset }))
      .filter(({ position }) => position >= 1)
      .sort((a, b) => a.position - b.position)
      .map(({ productId, when, position }) => ({
        ...{ productId, position, condition: when === undefined ? null : compileCondition(when, context) },
      }));
    if (active.length === 0) return null;
    return {
      needsOrder: active.some(({ condition }) => condition),
      pin<R extends RankedRow>(ranked: readonly R[]) {
        const named = rowsOf(ranked, names);
        const isNamed = new Set(named.values());
        return active.map(({ productId, position, condition }) => {
          if (condition)
            return { position, rows: ranked.filter((row) => condition.isMet(row) && !isNamed.has(row)) };
          const row = productId === undefined ? undefined : named.get(productId);
          return { position, rows: row ? [row] : [] };
        });
      },
    };
  },
};

/** Returns the rows of products, by id. */
function rowsOf<R extends RankedRow>(ranked: readonly R[], ids: readonly string[]): Map<string, R> {
  const wanted = new Map(ids.map((id) => [hash53(id), id]));
  const rows = new Map<string, R>();
  for (const each of ranked) {
    const id = wanted.get(each.block.idHash[each.row]);
    if (id !== undefined && each.block.id(each.row) === id) rows.set(id, each);
  }
  return rows;
}

/**
 * Returns `rows` with the pinned ones at their positions, counted from 1, and the others in their order. A position beyond
 * the end becomes the end.
 */
export function placePins<R>(rows: readonly R[], positionOf: (row: R) => number | undefined): R[] {
  const placed = rows.filter((row) => positionOf(row) === undefined);
  if (placed.length === rows.length) return placed;
  const pinned = rows.flatMap((row) => {
    const position = positionOf(row);
    return position === undefined ? [] : [{ row, position }];
  });
  pinned.sort((a, b) => a.position - b.position);
  for (const { row, position } of pinned) placed.splice(position - 1, 0, row);
  return placed;
}
