import type { ExpressionScope } from "../../shared/contracts/expression.ts";
import type { Point } from "../../shared/contracts/primitives.ts";

/** What an expression may know besides the product. */
export interface ExpressionContext extends ExpressionScope {
  /** The location of the list: where the user is; null if unknown. */
  point: Point | null;
}
