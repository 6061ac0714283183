import { isFiner } from "../../../shared/consent/levels.ts";
import { type Precision, precisions } from "../../../shared/contracts/primitives.ts";

/** SQL condition: the receipt is of a recommendation for a place whose precision is in the list of parameter 1. */
const isFinerSql = `receipt ->> '$.location.source' <> 'none'
  AND receipt ->> '$.location.precision' IN (SELECT value FROM json_each(?1))`;

/**
 * Removes the receipts of recommendations for a place that is finer than `precision`, with their outcomes: which products
 * were shown, their order and their scores tell the place. Returns the number of receipts.
 */
export function removeFinerReceipts(sql: SqlStorage, precision: Precision): number {
  const finer = JSON.stringify(precisions.filter((each) => isFiner(each, precision)));
  sql.exec(`DELETE FROM outcomes WHERE receipt IN (SELECT id FROM receipts WHERE ${isFinerSql})`, finer);
  return sql.exec(`DELETE FROM receipts WHERE ${isFinerSql} RETURNING id`, finer).toArray().length;
}
