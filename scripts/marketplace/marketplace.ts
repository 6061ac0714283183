import { allEvents, type Dataset, type DatasetItem } from "../../model/data/dataset.ts";
import type { CatalogSchemaInput } from "../../shared/contracts/catalog-schema.ts";
import type { EventInput } from "../../shared/contracts/event.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { ProductBody } from "../../shared/contracts/product.ts";
import { leafResolution } from "../../shared/geo/cells.ts";
import { latLngToCell } from "../../shared/geo/h3/points.ts";
import { EventIds } from "./event-ids.ts";

/** Products and events to import, in this order. */
export interface Marketplace {
  name: string;
  products: ProductBody[];
  /** The declared attributes; null leaves them as they are. */
  schema: CatalogSchemaInput | null;
  /** Grouped by user and in time order: the bulk endpoint makes one call per user. */
  events: EventInput[];
  /** Whether the times are others than those of the files. */
  timesMoved: boolean;
}

/** Longest name of an import. */
const maxNameCharacters = 128;

/** Returns the name under which an import is reported. */
export const toImportName = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9._~-]/g, "-").slice(0, maxNameCharacters);

/** Returns the values in the order of their leaf cells, so that one call to a cell carries many changes. */
function sortByLeafCell<T>(
  values: T[],
  locationOf: (value: T) => { lat: number | null; lon: number | null },
): T[] {
  const leafCellOf = (value: T): string => {
    const { lat, lon } = locationOf(value);
    return lat === null || lon === null ? "" : latLngToCell(lat, lon, leafResolution);
  };
  return values
    .map((value) => ({ value, cell: leafCellOf(value) }))
    .sort((a, b) => (a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : 0))
    .map(({ value }) => value);
}

/** What {@link toMarketplace} needs to know beyond the dataset. */
export interface MarketplaceOptions {
  /** Seconds that are added to all times. */
  shift: number;
  /** Whether the times are those of the files; if not, they are no part of an event's id. */
  timed?: boolean;
  /** Products that are not imported: their rows were refused. */
  withheld?: ReadonlySet<string>;
  schema?: CatalogSchemaInput;
  /** Returns fields of a product beyond those of the dataset. */
  moreFields?(item: DatasetItem): Partial<ProductBody>;
}

/**
 * Converts a dataset into the inputs of the public API. An event's id depends on its content alone, without the shift,
 * so that a repeated import and an overlapping export yield duplicates.
 */
export function toMarketplace(
  dataset: Dataset,
  { shift, timed = true, withheld = new Set(), schema, moreFields }: MarketplaceOptions,
): Marketplace {
  const events = allEvents(dataset).sort((a, b) => a.time - b.time);
  // Group events by user: the bulk endpoint makes one call per user.
  const eventsByUser = new Map<string, typeof events>();
  for (const event of events) {
    const own = eventsByUser.get(event.userId) ?? [];
    eventsByUser.set(event.userId, own);
    own.push(event);
  }
  return {
    name: toImportName(dataset.name),
    timesMoved: shift !== 0,
    schema: schema ?? null,
    products: sortByLeafCell(
      [...dataset.items.values()].filter(({ id }) => !withheld.has(id)),
      (item) => item,
    ).map((item) => ({
      id: item.id,
      title: item.title,
      category: item.category,
      price: item.price,
      currency: item.currency,
      discount: item.discount,
      rating: item.rating,
      location: item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
      available: item.available ?? true,
      groupId: item.groupId ?? null,
      attributes: item.attributes,
      ...item.details,
      ...moreFields?.(item),
    })),
    events: sortByLeafCell([...eventsByUser.values()], ([first]) => first).flatMap((own) => {
      // The user is a part of the content, so equal rows are rows of one user.
      const ids = new EventIds();
      return own.map((event) => ({
        eventId: ids.next({
          userId: event.userId,
          productId: event.itemId,
          type: event.type,
          time: timed ? toInstant(event.time) : null,
        }),
        userId: event.userId,
        type: event.type,
        productId: event.itemId,
        timestamp: toInstant(event.time + shift),
        ...(event.lat !== null && event.lon !== null ? { location: { lat: event.lat, lon: event.lon } } : {}),
        ...(event.value === undefined ? {} : { value: event.value, currency: event.currency }),
        ...(event.quantity === undefined ? {} : { quantity: event.quantity }),
      }));
    }),
  };
}
