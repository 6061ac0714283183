import type { EventType } from "../../shared/contracts/event.ts";
import type { ProductDetails } from "../../shared/contracts/product-details.ts";

/** A product of a dataset; a missing value is null. */
export interface DatasetItem {
  id: string;
  title: string;
  category: string;
  price: number | null;
  currency: string | null;
  /** 0 to 1. */
  discount: number;
  /** 0 to 10. */
  rating: number | null;
  lat: number | null;
  lon: number | null;
  /** False for a product that cannot be bought; absent for all others. */
  available?: false;
  /** The group of the product's variants; absent for a product without one. */
  groupId?: string;
  attributes: Record<string, string | number>;
  /** Fields that its page, its place and its calendar need; absent for a product without them. */
  details?: Partial<ProductDetails>;
}

/** An event of a dataset; `lat` and `lon` are the user's location, or null. */
export interface DatasetEvent {
  userId: string;
  itemId: string;
  type: EventType;
  /** Seconds since the epoch, UTC. */
  time: number;
  lat: number | null;
  lon: number | null;
  /** What the whole event was worth in units of the currency, and units of the product; absent where a file has none. */
  value?: number;
  currency?: string;
  quantity?: number;
}

/** A dataset in three parts, for training, validation and test. Each part is in time order. */
export interface Dataset {
  name: string;
  items: Map<string, DatasetItem>;
  train: DatasetEvent[];
  valid: DatasetEvent[];
  test: DatasetEvent[];
  /** One line for each of the first refused rows, with the reason. */
  problems: string[];
  /** Number of all refused rows. */
  rejectedRows: number;
}

/** Returns the events of all three parts. */
export const allEvents = (dataset: Dataset): DatasetEvent[] => [
  ...dataset.train,
  ...dataset.valid,
  ...dataset.test,
];

const weekSeconds = 7 * 86_400;

/**
 * Returns the whole weeks, in seconds, by which all times must move so that the last event lies in the week before
 * `now`.
 */
export function weekShift(lastTime: number, now: number): number {
  return Math.floor((now - lastTime) / weekSeconds) * weekSeconds;
}
