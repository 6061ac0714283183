import { tableLines } from "../../scripts/terminal/table.ts";
import { numberText } from "../figure-table.ts";
import type { Comparison } from "./compare.ts";

/** Returns comparisons as a table, a row each. */
export const comparisonTable = (comparisons: readonly Comparison[], peer: string): string =>
  tableLines(
    [
      ["figure", "unit", peer, "vicinity", "ratio", "least", "largest", "rounds"],
      ...comparisons.map((each) => [
        each.name,
        each.unit,
        numberText(each.peer),
        numberText(each.vicinity),
        numberText(each.ratio),
        numberText(each.least),
        numberText(each.largest),
        String(each.rounds),
      ]),
    ],
    new Set([2, 3, 4, 5, 6, 7]),
  ).join("\n");
