import { latLngToCell } from "h3-js";
import { allEvents, type Dataset, weekShift } from "../../model/data/dataset.ts";
import { readDataset } from "../../model/data/read-dataset.node.ts";
import { demoSize, simulate } from "../../model/simulate/simulate.ts";
import type { EventInput } from "../../shared/contracts/event.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { ProductInput } from "../../shared/contracts/product.ts";
import { leafResolution } from "../../shared/geo/cells.ts";

/** Products and events to import, in this order. */
export interface Marketplace {
  name: string;
  products: ProductInput[];
  /** Grouped by user and in time order: the bulk endpoint makes one call per user. */
  events: EventInput[];
}

/** A dataset that can be imported: the demo marketplace, or a dataset in a folder. */
export interface MarketplaceSource {
  /** Name under which the state directory records what was imported. */
  datasetName: string;
  /**
   * Reads the dataset, or simulates the demo marketplace. Event times are shifted by whole weeks, so that the last
   * event is in the week before `now` (seconds).
   */
  read(now: number): Marketplace;
  /** Returns lines that say how many rows of the dataset were rejected, and why the first of them were. */
  rejectedRows(): string[];
}

const demoSeed = 1;
const maxReportedProblems = 5;
/** Characters of a dataset's name that its event ids begin with; keeps the ids within the API's maximum length. */
const maxPrefixCharacters = 40;

const toIdentifier = (text: string): string => text.replaceAll(/[^A-Za-z0-9._~-]/g, "-");

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

/** Converts a dataset into the inputs of the public API. Event times are shifted by `shift` seconds. */
export function toMarketplace(dataset: Dataset, shift: number): Marketplace {
  const events = allEvents(dataset).sort((a, b) => a.time - b.time);
  // Group events by user: the bulk endpoint makes one call per user.
  const eventsByUser = new Map<string, typeof events>();
  for (const event of events) {
    const own = eventsByUser.get(event.userId) ?? [];
    eventsByUser.set(event.userId, own);
    own.push(event);
  }
  return {
    name: toIdentifier(dataset.name),
    products: sortByLeafCell([...dataset.items.values()], (item) => item).map((item) => ({
      id: item.id,
      title: item.title,
      category: item.category,
      price: item.price,
      currency: item.currency,
      discount: item.discount,
      rating: item.rating,
      location: item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
      available: true,
      attributes: item.attributes,
    })),
    events: sortByLeafCell([...eventsByUser.values()], ([first]) => first).flatMap((own) =>
      own.map((event, i) => ({
        // The id depends on the row alone, so that a repeated import yields duplicates.
        eventId: `${toIdentifier(dataset.name.slice(0, maxPrefixCharacters))}.${i}`,
        userId: event.userId,
        type: event.type,
        productId: event.itemId,
        timestamp: toInstant(event.time + shift),
        ...(event.lat !== null && event.lon !== null ? { location: { lat: event.lat, lon: event.lon } } : {}),
      })),
    ),
  };
}

/** Returns the dataset in a folder, or the demo marketplace if the folder is null. */
export function marketplaceSource(dataDir: string | null): MarketplaceSource {
  if (dataDir === null)
    return {
      datasetName: "demo",
      rejectedRows: () => [],
      read(now) {
        return toMarketplace(simulate(demoSize, demoSeed, now).dataset, 0);
      },
    };
  const dataset = readDataset(dataDir);
  return {
    datasetName: dataset.name,
    read: (now) => toMarketplace(dataset, weekShift(Math.max(...lastTimes(dataset)), now)),
    rejectedRows: () =>
      dataset.rejectedRows === 0
        ? []
        : [
            `${dataset.rejectedRows} rows of the dataset were rejected. The first of them:`,
            ...dataset.problems.slice(0, maxReportedProblems),
          ],
  };
}

const lastTimes = ({ train, valid, test }: Dataset): number[] =>
  [train, valid, test].map((part) => part.at(-1)?.time ?? 0);
