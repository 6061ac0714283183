import { currencyDigits } from "../../shared/contracts/currency-digits.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { discountShare, priceAfterDiscount } from "../../shared/money/discount.ts";
import { localHourOf, localWeekdayOf } from "../../shared/time/local-clock.ts";
import type { Columns } from "../columns/columns.ts";
import { decimalFromFloat32 } from "../columns/decimal-from-float32.ts";
import { noString } from "../columns/layout.ts";
import { compileIsOpen } from "../columns/opening-hours.ts";
import { optionalColumn } from "../columns/optional-values.ts";
import { compileOnSale } from "../columns/sale.ts";
import type { ExpressionContext } from "./context.ts";
import type { ContextField, Field, FieldTable, ListColumn, NumberReader } from "./field.ts";
import { optionalField } from "./optional-fields.ts";

/** Returns a reader of a column of 64-bit numbers, without a copy. */
const readColumn =
  (column: Float64Array): NumberReader =>
  (start, count) =>
    column.subarray(start, start + count);

/**
 * Returns a reader of prices, in units of the context's currency. A price in another currency is absent. An amount
 * without a currency counts as in the context's currency, with two digits.
 */
function readPrices(columns: Columns, context: ExpressionContext, afterDiscount: boolean): NumberReader {
  const { priceMinor, currency, discountMillionths, strings } = columns;
  const { currency: wanted } = context;
  if (wanted === undefined)
    throw new Error("the currency of an expression with a price must be decided before it is evaluated");
  const named = wanted === null ? noString : strings.indexOf(wanted);
  const minorPerNamed = 10 ** currencyDigits(wanted);
  const minorPerUnnamed = 10 ** currencyDigits(null);
  const isOnSale = compileOnSale(columns, context.now);
  return (start, count, _mask, out) => {
    for (let i = 0; i < count; i++) {
      const row = start + i;
      const own = currency[row];
      const hasDiscount = afterDiscount && (isOnSale === null || isOnSale(row));
      const millionths = hasDiscount ? discountMillionths[row] : 0;
      const price = millionths === 0 ? priceMinor[row] : priceAfterDiscount(priceMinor[row], millionths);
      out[i] =
        own === noString ? price / minorPerUnnamed : own === named ? price / minorPerNamed : Number.NaN;
    }
    return out;
  };
}

/** Returns the categories of a block's products: the first one, and the others. */
function allCategories(columns: Columns): ListColumn {
  const { category, count } = columns;
  const more = optionalColumn(columns, "moreCategories", "list");
  if (!more) return { starts: Uint32Array.from({ length: count + 1 }, (_, row) => row), items: category };
  const starts = Uint32Array.from(more.starts, (start, row) => start + row);
  const items = new Uint32Array(count + more.items.length);
  for (let row = 0; row < count; row++) {
    items[starts[row]] = category[row];
    items.set(more.items.subarray(more.starts[row], more.starts[row + 1]), starts[row] + 1);
  }
  return { starts, items };
}

const productFields: Record<string, Field> = {
  "product.id": {
    kind: "texts",
    type: "string",
    description: "Id of the product.",
    texts: ({ text, textStart }) => ({ bytes: text, starts: textStart }),
  },
  "product.title": {
    kind: "texts",
    type: "string",
    description: "Title of the product.",
    texts: ({ text, textStart, count }) => ({ bytes: text, starts: textStart.subarray(count) }),
  },
  "product.category": {
    kind: "strings",
    type: "string",
    description: "First category of the product, exactly as written.",
    bounds: "category",
    indices: ({ category }) => category,
  },
  "product.categories": {
    kind: "lists",
    type: "list",
    description: "All categories of the product; one also stands for those below it.",
    bounds: "category",
    isPath: true,
    lists: allCategories,
  },
  "product.groupId": {
    kind: "strings",
    type: "string",
    description: "Group of the product's variants.",
    indices: ({ groupId }) => groupId,
  },
  "product.price": {
    kind: "numbers",
    type: "number",
    description:
      "Price after discount, in units of the filter's currency; absent for a product without a price or in another currency.",
    bounds: "price",
    isMoney: true,
    numbers: (columns, context) => readPrices(columns, context, true),
  },
  "product.priceBeforeDiscount": {
    kind: "numbers",
    type: "number",
    description: "Price before discount, otherwise as `product.price`.",
    isMoney: true,
    numbers: (columns, context) => readPrices(columns, context, false),
  },
  "product.currency": {
    kind: "strings",
    type: "string",
    description: "Currency of the product's price (ISO 4217).",
    indices: ({ currency }) => currency,
  },
  "product.discount": {
    kind: "numbers",
    type: "number",
    description: "Discount that holds now as a share of the price: 0.7 for 70%, 0 for none.",
    bounds: "discount",
    numbers: (columns, { now }) => {
      const { discountMillionths } = columns;
      const isOnSale = compileOnSale(columns, now);
      return (start, count, _mask, out) => {
        for (let i = 0; i < count; i++)
          out[i] = isOnSale && !isOnSale(start + i) ? 0 : discountShare(discountMillionths[start + i]);
        return out;
      };
    },
  },
  "product.rating": {
    kind: "numbers",
    type: "number",
    description: "Rating of the product, 0 to 10.",
    decimals: ({ rating }) => rating,
    numbers:
      ({ rating }) =>
      (start, count, _mask, out) => {
        for (let i = 0; i < count; i++) {
          const value = rating[start + i];
          // Seven digits are seven decimals below 1, and six from there on. The products are exact, so this gives what
          // `decimalFromFloat32` gives, and is faster.
          const scale = value < 1 ? 1e7 : 1e6;
          out[i] = value > 0 && value < 0.1 ? decimalFromFloat32(value) : Math.round(value * scale) / scale;
        }
        return out;
      },
  },
  "product.available": {
    kind: "flags",
    type: "boolean",
    description: "Whether the product is available.",
    flags: ({ available }) => available,
  },
  "product.isOpen": {
    kind: "flags",
    type: "boolean",
    description: "Whether the product's place is open now; true without opening hours.",
    flags: (columns, { now }) => {
      const isOpen = compileIsOpen(columns, now);
      return Uint8Array.from({ length: columns.count }, (_, row) => (isOpen === null || isOpen(row) ? 1 : 0));
    },
  },
  "product.brand": optionalField("brand", "string", "Brand of the product."),
  "product.createdAt": {
    kind: "numbers",
    type: "time",
    description: "When the product was created.",
    numbers: ({ createdAt }) => readColumn(createdAt),
  },
};

const placeAndTimeFields: Record<string, Field> = {
  distanceKm: {
    kind: "numbers",
    type: "number",
    description:
      "Great-circle distance from the list's location to the product in km; absent if one of them has none.",
    bounds: "distance",
    numbers(columns, { point, distances }) {
      if (!point) return null;
      if (distances) return readColumn(distances(columns));
      const { lat, lon } = columns;
      return (start, count, mask, out) => {
        for (let i = 0; i < count; i++)
          if (mask[i] !== 0) out[i] = distanceKm(point.lat, point.lon, lat[start + i], lon[start + i]);
        return out;
      };
    },
  },
  now: { kind: "context", type: "time", description: "Time of the request.", value: ({ now }) => now },
  hour: {
    kind: "context",
    type: "number",
    description: "Hour at the list's location, 0 to 23; in UTC without a location.",
    value: ({ now, offsetSeconds }) => localHourOf(now + offsetSeconds),
  },
  weekday: {
    kind: "context",
    type: "number",
    description: "Weekday at the list's location: 1 for Monday, 7 for Sunday; in UTC without a location.",
    value: ({ now, offsetSeconds }) => localWeekdayOf(now + offsetSeconds) + 1,
  },
};

const userFields: Record<string, ContextField> = {
  "user.choices": {
    kind: "context",
    type: "number",
    description: "The user's interactions of all time, without dismissals.",
    value: ({ user }) => user?.choices ?? null,
  },
  "user.favoriteCategory": {
    kind: "context",
    type: "string",
    description: "The category of most of the user's interactions.",
    value: ({ user }) => user?.favoriteCategory ?? null,
  },
  "user.activeDays": {
    kind: "context",
    type: "number",
    description: "Days on which the user sent events.",
    value: ({ user }) => user?.activeDays ?? null,
  },
  "user.since": {
    kind: "context",
    type: "time",
    description: "When the user's first event arrived.",
    value: ({ user }) => user?.since ?? null,
  },
};

/** The fields of lists that are the same for every user: the product, the place and the time. */
export const listFields: FieldTable = new Map(Object.entries({ ...productFields, ...placeAndTimeFields }));

/** The fields of a user's list: {@link listFields}, and what a list may know of the user. */
export const userListFields: FieldTable = new Map([...listFields, ...Object.entries(userFields)]);
