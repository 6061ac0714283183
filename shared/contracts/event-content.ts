import type { Interaction, StoredType } from "./event.ts";

/**
 * What a client said in an event, for comparison with another event of the same id. A field that the client did not
 * send is null, so that nothing that the server added is compared.
 */
export interface EventContent {
  type: StoredType;
  /** The product id, or a hash of it. */
  product: string | number;
  /** Seconds since the Unix epoch. */
  time: number | null;
  /** The recommendation id, or a hash of it. */
  recommendation: string | number | null;
  /** The location as it is stored, or a hash of it, with its precision. */
  location: { at: string | number; precision: string } | null;
  /** Value, currency and quantity as {@link encodeWorth} writes them. */
  worth: string | null;
}

/** What an event was worth, as far as the client said. */
export type Worth = Pick<Interaction, "value" | "quantity">;

/** Returns what an event was worth as a short text: minor units, currency, quantity; null if nothing is known. */
export const encodeWorth = ({ value, quantity }: Worth): string | null =>
  value || quantity !== undefined ? `${value?.minor ?? ""} ${value?.currency ?? ""} ${quantity ?? ""}` : null;

/** Returns what an event was worth from the output of {@link encodeWorth}. */
export function decodeWorth(text: string | null): Worth {
  const [minor = "", currency = "", quantity = ""] = text?.split(" ") ?? [];
  return {
    ...(minor === "" ? {} : { value: { minor: Number(minor), currency } }),
    ...(quantity === "" ? {} : { quantity: Number(quantity) }),
  };
}

/** Returns the names of the fields in which both texts of {@link encodeWorth} say something, and not the same. */
function differingWorth(stored: string, sent: string): string[] {
  const [a, b] = [stored.split(" "), sent.split(" ")];
  return ["value", "currency", "quantity"].filter((_, i) => a[i] !== "" && b[i] !== "" && a[i] !== b[i]);
}

/** Seconds by which two times may differ and still be the same: times are stored with milliseconds. */
const sameTimeSeconds = 0.001;

/**
 * Returns the names of the fields that two events under one id state differently. `type` and `productId` are always
 * compared. The other fields are compared if both events state them; locations only at
 * the same precision, since the user may have changed it in between. `toleranceSeconds` is how far the times may be
 * apart.
 */
export function differingFields(
  stored: EventContent,
  sent: EventContent,
  toleranceSeconds = sameTimeSeconds,
): string[] {
  const fields: string[] = [];
  if (stored.type !== sent.type) fields.push("type");
  if (stored.product !== sent.product) fields.push("productId");
  if (stored.time !== null && sent.time !== null && Math.abs(stored.time - sent.time) > toleranceSeconds)
    fields.push("timestamp");
  if (
    stored.recommendation !== null &&
    sent.recommendation !== null &&
    stored.recommendation !== sent.recommendation
  )
    fields.push("recommendationId");
  if (
    stored.location !== null &&
    sent.location !== null &&
    stored.location.precision === sent.location.precision &&
    stored.location.at !== sent.location.at
  )
    fields.push("location");
  if (stored.worth !== null && sent.worth !== null) fields.push(...differingWorth(stored.worth, sent.worth));
  return fields;
}
