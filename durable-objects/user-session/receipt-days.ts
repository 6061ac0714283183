import * as z from "zod";

/** An event may be seven days late, and its id must be stored that long to detect a duplicate. */
const minDays = 8;

const setting = z.coerce.number().int().min(minDays).max(36_500).default(minDays);

/**
 * Returns how many days the object of a user stores event ids, receipts of recommendations and their outcomes:
 * `RECEIPT_DAYS` of the worker's variables, at least 8, which is also the default. Throws if the variable is invalid.
 */
export const receiptDaysOf = (variables: object): number =>
  setting.parse(Reflect.get(variables, "RECEIPT_DAYS"));
