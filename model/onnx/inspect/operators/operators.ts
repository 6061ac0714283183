import { constantOperators } from "./constants.ts";
import { elementwiseOperators } from "./elementwise.ts";
import { indexingOperators } from "./indexing.ts";
import { matrixOperators } from "./matrices.ts";
import type { Operator } from "./node-context.ts";
import { reductionOperators } from "./reductions.ts";
import { reshapingOperators } from "./reshaping.ts";

/**
 * The operators that a model may use, by name, each with what it computes. An operator that is not here is refused: its
 * cost is not known. A new one needs its inference, and an example in `operators.node.test.ts` that the runtime confirms.
 */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...constantOperators,
    ...elementwiseOperators,
    ...indexingOperators,
    ...matrixOperators,
    ...reductionOperators,
    ...reshapingOperators,
  }),
);
