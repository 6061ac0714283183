import { isOpenAt, openingHoursColumn } from "../../../model/columns/opening-hours.ts";
import type { ColumnValue } from "../../../shared/contracts/column-value.ts";
import { nearestMinorUnits } from "../../../shared/contracts/minor-units.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { ShownProduct } from "../../../shared/contracts/product.ts";
import { shownPrice } from "../../../shared/money/shown-price.ts";
import type { ListedCard } from "./listed-products.ts";

/** Returns a card as answers show it at a time, in seconds since the epoch: with the discount that holds then. */
export function shownProductOf(card: ListedCard, now: number): ShownProduct {
  const { cell: _cell, version: _version, columns = [], ...product } = card;
  const saleFrom = numberIn(columns, "saleFrom");
  const saleUntil = numberIn(columns, "saleUntil");
  const isOnSale = !(saleFrom !== null && now < saleFrom) && !(saleUntil !== null && now >= saleUntil);
  const hours = stringIn(columns, openingHoursColumn);
  const more = columns.find(({ name }) => name === "moreCategories");
  return {
    ...product,
    ...(isOnSale ? {} : fullPriceOf(card)),
    categories: [card.category, ...(more?.type === "list" ? more.value : [])],
    url: card.url ?? null,
    brand: stringIn(columns, "brand"),
    saleUntil: isOnSale && saleUntil !== null ? toInstant(saleUntil) : null,
    isOpen: hours === null || isOpenAt(hours, now),
  };
}

const fullPriceOf = ({ price, currency }: ListedCard) =>
  shownPrice(price === null ? null : nearestMinorUnits(price, currency), currency, 0);

function stringIn(columns: readonly ColumnValue[], name: string): string | null {
  const found = columns.find((each) => each.name === name);
  return found?.type === "string" ? found.value : null;
}

function numberIn(columns: readonly ColumnValue[], name: string): number | null {
  const found = columns.find((each) => each.name === name);
  return found?.type === "time" || found?.type === "number" ? found.value : null;
}
