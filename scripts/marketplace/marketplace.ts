import { latLngToCell } from "h3-js";
import { allEvents, type Dataset, weekShift } from "../../model/data/dataset.ts";
import { readDataset } from "../../model/data/read.node.ts";
import { demoSize, simulate } from "../../model/simulate/simulate.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { leafResolution } from "../../shared/geo/cells.ts";
import type { Marketplace } from "./load-marketplace.ts";

/** What to load into an empty Vicinity. */
export interface MarketplaceSource {
  /** Names the dataset in the state. */
  datasetName: string;
  /** Reads or makes it; times are moved by whole weeks so that the last event lies in the week before `now`. */
  read(now: number): Marketplace;
  /** Rows that were refused, in lines for people. */
  rejectedRows(): string[];
}

const demoSeed = 1;

/** Orders things by where they are: a place then hears of many in one call, not of one in many. */
function groupByCell<T>(things: T[], at: (thing: T) => { lat: number | null; lon: number | null }): T[] {
  const area = (thing: T): string => {
    const { lat, lon } = at(thing);
    return lat === null || lon === null ? "" : latLngToCell(lat, lon, leafResolution);
  };
  return things
    .map((thing) => ({ thing, area: area(thing) }))
    .sort((a, b) => (a.area < b.area ? -1 : a.area > b.area ? 1 : 0))
    .map(({ thing }) => thing);
}

/** A dataset as what the public API takes. */
export function toMarketplace(dataset: Dataset, shift: number): Marketplace {
  const events = allEvents(dataset).sort((a, b) => a.time - b.time);
  // A person's events stand together: history takes one call per person.
  const people = new Map<string, typeof events>();
  for (const event of events) {
    const own = people.get(event.userId) ?? [];
    people.set(event.userId, own);
    own.push(event);
  }
  return {
    name: dataset.name.replaceAll(/[^A-Za-z0-9._~-]/g, "-"),
    products: groupByCell([...dataset.items.values()], (item) => item).map((item) => ({
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
    events: groupByCell([...people.values()], ([first]) => first).flatMap((own) =>
      own.map((event, i) => ({
        // The same row is the same event, however often it is imported.
        eventId: `${dataset.name.slice(0, 40).replaceAll(/[^A-Za-z0-9._~-]/g, "-")}.${i}`,
        userId: event.userId,
        type: event.type,
        productId: event.itemId,
        timestamp: toInstant(event.time + shift),
        ...(event.lat !== null && event.lon !== null ? { location: { lat: event.lat, lon: event.lon } } : {}),
      })),
    ),
  };
}

/** The demo, or the dataset in a folder. */
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
            `${dataset.rejectedRows} rows of the dataset were refused, the first of them:`,
            ...dataset.problems.slice(0, 5),
          ],
  };
}

const lastTimes = ({ train, valid, test }: Dataset): number[] =>
  [train, valid, test].map((part) => part.at(-1)?.time ?? 0);
