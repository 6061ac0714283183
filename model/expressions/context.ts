import type { ExpressionScope } from "../../shared/contracts/expression.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { Distances } from "./distances.ts";

/** What an expression may know besides the product. */
export interface ExpressionContext extends ExpressionScope {
  /** The location of the list: where the user is; null if unknown. */
  point: Point | null;
  /** Distances from the point, if several expressions share them. */
  distances?: Distances;
}
