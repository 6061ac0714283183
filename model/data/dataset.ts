import type { EventType } from "../../shared/contracts/event.ts";

/** A product of a dataset; null where a column or value is missing. */
export interface DatasetItem {
  id: string;
  title: string;
  category: string;
  price: number | null;
  currency: string | null;
  discount: number;
  rating: number | null;
  lat: number | null;
  lon: number | null;
  attributes: Record<string, string | number>;
}

/** An event of a dataset, with where the person was. */
export interface DatasetEvent {
  userId: string;
  itemId: string;
  type: EventType;
  /** Seconds since the epoch, UTC. */
  time: number;
  lat: number | null;
  lon: number | null;
}

/** A dataset: what came before, what chooses parameters, what is asked. Each part in the order of time per person. */
export interface Dataset {
  name: string;
  items: Map<string, DatasetItem>;
  train: DatasetEvent[];
  valid: DatasetEvent[];
  test: DatasetEvent[];
  /** Rows that were refused, one line each, at most the first 20, and how many in all. */
  problems: string[];
  refused: number;
}

/** All events of a dataset. */
export const allEvents = (dataset: Dataset): DatasetEvent[] => [
  ...dataset.train,
  ...dataset.valid,
  ...dataset.test,
];

const weekSeconds = 7 * 86_400;

/** Seconds, whole weeks, by which times must be moved so that the last event lies in the week before `now`. */
export function weekShift(lastTime: number, now: number): number {
  return Math.floor((now - lastTime) / weekSeconds) * weekSeconds;
}
