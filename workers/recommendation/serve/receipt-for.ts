import type { ReceiptRecord, RecommendationReceipt } from "../../../shared/contracts/receipt.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { withoutNames } from "./place-rights.ts";

/**
 * Returns a receipt for a requester. One who may not know the user's place gets no names of a private place, and no
 * receipt of a list that was computed for an exact one: its order and its scores tell where the user was. One who may not
 * read the user's history does not learn which sources found the products.
 */
export function receiptFor(
  { mayKnowPlace, mayReadHistory }: Requester,
  { isPlacePrivate, measures: _, ...stored }: ReceiptRecord,
): Result<RecommendationReceipt> {
  const receipt = mayReadHistory ? stored : withoutSources(stored);
  if (mayKnowPlace || !isPlacePrivate) return ok(receipt);
  if (receipt.location.precision === "exact")
    return refuse(
      "forbidden",
      "The receipt tells where the user was. The key needs the scope `locations:read` to read it.",
    );
  return ok({ ...receipt, location: withoutNames(receipt.location) });
}

/** Returns a receipt that does not tell which candidate sources found the products. */
const withoutSources = ({ sources: _sources, ...receipt }: RecommendationReceipt): RecommendationReceipt => ({
  ...receipt,
  items: receipt.items.map(({ sources: _of, ...item }) => item),
});
