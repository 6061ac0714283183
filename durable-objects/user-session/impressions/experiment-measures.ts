import type { Interaction } from "../../../shared/contracts/event.ts";
import type { ExperimentMeasures } from "../../../shared/contracts/queues.ts";

/** Measures of a user in one arm of an experiment, as the object stores them. */
export interface StoredMeasures extends ExperimentMeasures {
  /** Time of the first exposure, in seconds since the epoch. Purchases before it do not count. */
  since: number;
}

/** Currencies in which the purchases of a user count. */
const maxCurrencies = 4;

/** Returns the measures of a user who was just exposed, before anything is measured. */
export const noMeasures = (since: number): StoredMeasures => ({
  ...{ since, revision: 0, orders: 0, units: 0, revenue: {}, diversity: 0, latencyMs: 0 },
});

/** Returns the sums of two measures. Amounts in more than {@link maxCurrencies} currencies are left out. */
export function addMeasures(a: StoredMeasures, b: StoredMeasures): StoredMeasures {
  const revenue = new Map(Object.entries(a.revenue));
  for (const [currency, amount] of Object.entries(b.revenue))
    if (revenue.has(currency) || revenue.size < maxCurrencies)
      revenue.set(currency, (revenue.get(currency) ?? 0) + amount);
  return {
    since: Math.min(a.since, b.since),
    revision: a.revision + b.revision,
    orders: a.orders + b.orders,
    units: a.units + b.units,
    revenue: Object.fromEntries(revenue),
    diversity: a.diversity + b.diversity,
    latencyMs: a.latencyMs + b.latencyMs,
  };
}

/** What counts of a purchase or refund in an experiment. */
type Purchase = Pick<Interaction, "time" | "value" | "quantity"> & {
  facts: Pick<Interaction["facts"], "priceMinor" | "currency">;
};

/**
 * Returns the units and the worth of a purchase: the value that the event states, else the product's price for each
 * unit. What a user states whom nobody vouches for counts as one unit at the product's price.
 */
function worthOf(
  { value, quantity, facts }: Purchase,
  isVouched: boolean,
): Pick<StoredMeasures, "units" | "revenue"> {
  const units = isVouched ? (quantity ?? 1) : 1;
  if (isVouched && value) return { units, revenue: { [value.currency]: value.minor } };
  const { priceMinor, currency } = facts;
  return {
    units,
    revenue: priceMinor === null || currency === null ? {} : { [currency]: priceMinor * units },
  };
}

/** Returns measures with a purchase; null if it happened before the first exposure. */
export function withPurchase(
  measures: StoredMeasures,
  purchase: Purchase,
  isVouched: boolean,
): StoredMeasures | null {
  if (purchase.time < measures.since) return null;
  return addMeasures(measures, {
    ...noMeasures(measures.since),
    ...{ revision: 1, orders: 1 },
    ...worthOf(purchase, isVouched),
  });
}

/**
 * Returns measures less a refund: of units and worth down to 0, since orders stay orders. Null if nothing that the refund
 * could lower has counted: the user's newest purchase of the product (`purchasedAt`, in seconds since the epoch; null if
 * there is none) was before the first exposure, or in another currency.
 */
export function withRefund(
  measures: StoredMeasures,
  refund: Purchase,
  purchasedAt: number | null,
  isVouched: boolean,
): StoredMeasures | null {
  if (purchasedAt === null || purchasedAt < measures.since) return null;
  const { units, revenue } = worthOf(refund, isVouched);
  const lowered = Object.entries(revenue).filter(([currency]) => measures.revenue[currency] !== undefined);
  if (lowered.length === 0) return null;
  const less = lowered.map(([currency, minor]) => [
    currency,
    Math.max(0, measures.revenue[currency] - minor),
  ]);
  return {
    ...measures,
    revision: measures.revision + 1,
    units: Math.max(0, measures.units - units),
    revenue: { ...measures.revenue, ...Object.fromEntries(less) },
  };
}
