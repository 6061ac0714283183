import type { Dataset, DatasetEvent, DatasetItem } from "../../data/dataset.ts";
import { choicesIn, type Question } from "./user-choices.ts";

/** Noon of a day in UTC, in seconds since the epoch. */
export const noon = Date.UTC(2026, 5, 1, 12) / 1000;

const item = (id: string, lat: number | null = null, lon: number | null = null): DatasetItem => ({
  ...{ id, title: id, category: "shop", price: null, currency: null, discount: 0, rating: null, lat, lon },
  attributes: {},
});

/** Returns an event of user `u`, or another user. */
export const choice = (itemId: string, time: number, userId = "u"): DatasetEvent => ({
  ...{ userId, itemId, type: "click", time, lat: null, lon: null },
});

/** Returns a dataset of the items a to e; `places` holds locations in degrees. */
export function shop(
  parts: Partial<Pick<Dataset, "train" | "valid" | "test">>,
  places: Record<string, [number, number]> = {},
): Dataset {
  const items = new Map(["a", "b", "c", "d", "e"].map((id) => [id, item(id, ...(places[id] ?? []))]));
  return { name: "shop", items, train: [], valid: [], test: [], problems: [], rejectedRows: 0, ...parts };
}

/** Returns what user `u` asks at a time after the training part. */
export const questionAfter = (dataset: Dataset, time: number): Question =>
  choicesIn(dataset, dataset.train).question({ userId: "u", time });
