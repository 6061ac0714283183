import fc from "fast-check";
import { eventTypes } from "../../../shared/contracts/event.ts";
import { precisions } from "../../../shared/contracts/primitives.ts";
import type { PricesByCurrency, UserProfile } from "../profile.ts";

const orNull = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null });
/** Numbers of all kinds: counts, times with and without fractions, and what no profile should hold. */
const number = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 2 ** 31 - 1 }),
  fc.constantFrom(2 ** 16 - 1, 2 ** 16, 2 ** 32 - 1, 2 ** 32, -0, -1),
  fc.double(),
);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const key = fc.oneof(
  text,
  fc.tuple(text, text).map(([from, to]) => `${from}\n${to}`),
);
const currency = fc.constantFrom("", "EUR", "JPY", "BHD");
const point = fc.record({ lat: number, lon: number });
const location = fc.record({ lat: number, lon: number, time: number });
const numbers = fc.array(number, { maxLength: 4 });
const prices: fc.Arbitrary<PricesByCurrency> = fc.dictionary(
  currency,
  fc.record({ logs: number, count: number }),
  { noNullPrototype: true },
);
const counted = fc.dictionary(fc.constantFrom(...eventTypes), fc.tuple(number, number), {
  noNullPrototype: true,
});
const mapOf = <V>(value: fc.Arbitrary<V>): fc.Arbitrary<Map<string, V>> =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => new Map(entries));

/** Any profile of the type, also one that no events lead to. */
export const anyProfile: fc.Arbitrary<UserProfile> = fc
  .record({
    events: number,
    choices: number,
    recent: fc.array(
      fc.record({
        type: fc.constantFrom(...eventTypes),
        productId: text,
        category: orNull(text),
        cell: orNull(text),
        lat: orNull(number),
        lon: orNull(number),
        priceMinor: orNull(number),
        currency: orNull(currency),
        time: number,
        localTime: number,
        recommendationId: orNull(text),
      }),
      { maxLength: 4 },
    ),
    products: mapOf(
      fc.record(
        {
          cell: orNull(text),
          category: orNull(text),
          lat: orNull(number),
          lon: orNull(number),
          counts: numbers,
          choices: number,
          first: number,
          last: number,
          lastDeliberate: orNull(number),
          times: numbers,
          transitions: number,
          counted,
        },
        {
          requiredKeys: [
            ...(["cell", "category", "lat", "lon", "counts", "choices", "first", "last"] as const),
            ...(["lastDeliberate", "times", "transitions"] as const),
          ],
        },
      ),
    ),
    dismissed: mapOf(fc.record({ count: number, last: number, lastDeliberate: orNull(number) })),
    purchased: mapOf(fc.record({ count: number, first: number, last: number })),
    shown: mapOf(fc.record({ looks: fc.nat({ max: 5000 }).map((n) => n / 100), last: number })),
    shownUntil: number,
    categories: mapOf(
      fc.record({
        choices: number,
        dismissals: number,
        decayed: numbers,
        at: number,
        hours: numbers,
        weekdays: numbers,
        prices,
      }),
    ),
    places: mapOf(fc.record({ lat: number, lon: number, choices: number, decayed: number, at: number })),
    transitions: mapOf(fc.record({ count: number, last: number })),
    activity: fc.record({
      since: orNull(number),
      days: number,
      lastDay: number,
      hour: number,
      events: number,
      locations: number,
    }),
    hours: numbers,
    weekdays: numbers,
    prices,
    location: orNull(location),
    unconfirmedLocation: orNull(location),
    home: orNull(point),
    statedPrecision: orNull(fc.constantFrom(...precisions)),
    settingsVersion: number,
  })
  // The default of `decodeProfile` decides the rest.
  .map((profile) => {
    const precision = profile.statedPrecision ?? "approximate";
    return { ...profile, precision, finestStored: precision };
  });
