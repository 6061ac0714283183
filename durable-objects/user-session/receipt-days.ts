import { z } from "zod";

/** Events may be a week late, so their ids are needed for longer. */
const minDays = 8;

const setting = z.coerce.number().int().min(minDays).max(36_500).default(minDays);

/**
 * Days for which the object of a person keeps ids of events, receipts of recommendations and what came of them: `RECEIPT_DAYS`
 * of the worker's variables, at least 8, which it is unless it says so. Throws where it says something else.
 */
export const receiptDaysOf = (variables: object): number =>
  setting.parse(Reflect.get(variables, "RECEIPT_DAYS"));
