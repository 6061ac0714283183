import type { Interaction, ProductFacts } from "../../shared/contracts/event.ts";
import { nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { hash53 } from "../columns/hash.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";

/** Returns the spatial-index address of a dataset's product. */
export const itemAddress = (item: DatasetItem): string =>
  addressOf(
    item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
    hash53(item.id),
  );

/** Returns a dataset event as the interaction that ingest would store. `index` makes its event id unique. */
export function toInteraction(
  event: DatasetEvent,
  items: ReadonlyMap<string, DatasetItem>,
  index: number,
): Interaction {
  const item = items.get(event.itemId);
  const facts: ProductFacts = item
    ? {
        cell: itemAddress(item),
        lat: item.lat,
        lon: item.lon,
        category: item.category,
        priceMinor: item.price === null ? null : nearestMinorUnits(item.price, item.currency),
        currency: item.currency,
      }
    : { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null };
  const at = event.lat !== null && event.lon !== null ? { lat: event.lat, lon: event.lon } : null;
  const place = facts.lat !== null && facts.lon !== null ? { lat: facts.lat, lon: facts.lon } : null;
  return {
    eventId: `e${index}`,
    type: event.type,
    productId: event.itemId,
    time: event.time,
    recommendationId: null,
    location: at ?? place,
    facts,
  };
}

/** Returns the seconds by which local time at the interaction's location is ahead of UTC. */
export const interactionOffset = (interaction: Interaction): number =>
  utcOffsetAt(
    interaction.facts.lat ?? interaction.location?.lat ?? null,
    interaction.facts.lon ?? interaction.location?.lon ?? null,
    interaction.time,
  );
