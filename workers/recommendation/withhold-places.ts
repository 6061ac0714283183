import type { ExportItem } from "../../shared/contracts/export.ts";

/** Fields of a user's profile in memory that tell where the user is. */
const placesInMemory = ["home", "location", "unconfirmedLocation", "places"];

const without = (object: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !fields.includes(name)));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** Returns the body of a journal row without a place; null if the row is about nothing else. */
function bodyWithoutPlace(body: unknown): unknown {
  if (!isRecord(body)) return null;
  if (body.kind === "interaction" && isRecord(body.interaction))
    return { ...body, interaction: without(body.interaction, ["location"]) };
  return body.kind === "correction" || body.kind === "counts" ? body : null;
}

/**
 * Returns an item of a user's export for a requester who may not know the user's places. Returns null for locations,
 * receipts and training examples: the order and the scores of a list tell where the user was.
 */
export function itemWithoutPlaces(item: ExportItem): ExportItem | null {
  switch (item.store) {
    case "profile": {
      const { home: _, ...profile } = item.profile;
      return { ...item, profile };
    }
    case "interactions": {
      const { location: _, ...interaction } = item.interaction;
      return { ...item, interaction };
    }
    case "memory":
      return { ...item, memory: without(item.memory, placesInMemory) };
    case "journal":
      return { ...item, body: bodyWithoutPlace(item.body) };
    case "locations":
    case "receipts":
      return null;
    case "training_log":
      return isRecord(item.line) && item.line.kind === "example" ? null : item;
    case "dead_letters":
      return { ...item, part: null };
    case "experiments":
      return item;
  }
}
