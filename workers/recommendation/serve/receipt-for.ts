import type { ReceiptRecord, RecommendationReceipt } from "../../../shared/contracts/recommendation.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { withoutNames } from "./place-rights.ts";

/**
 * Returns a receipt for a requester. One who may not know the user's place gets no names of a private place, and no
 * receipt of a list that was computed for an exact one: its order and its scores tell where the user was.
 */
export function receiptFor(
  { mayKnowPlace }: Requester,
  { isPlacePrivate, measures: _, ...receipt }: ReceiptRecord,
): Result<RecommendationReceipt> {
  if (mayKnowPlace || !isPlacePrivate) return ok(receipt);
  if (receipt.location.precision === "exact")
    return refuse(
      "forbidden",
      "The receipt tells where the user was. The key needs the scope `locations:read` to read it.",
    );
  return ok({ ...receipt, location: withoutNames(receipt.location) });
}
