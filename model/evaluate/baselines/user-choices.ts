import { utcOffsetAt } from "../../../shared/geo/local-time.ts";
import type { Dataset, DatasetEvent } from "../../data/dataset.ts";
import { hasOneEventType } from "../../replay/episode.ts";

/** A location in WGS84 degrees. */
interface Place {
  lat: number;
  lon: number;
}

/** The choices of one user, oldest first. Later choices may be appended; a reader states how many it may see. */
export interface UserChoices {
  /** Item indexes. */
  items: number[];
  /** Local hour of each choice, 0 to below 24. */
  hours: number[];
  /** The user's last known location after each choice, or null. */
  places: (Place | null)[];
}

/** What a method may read when it scores the products for one event: the user's first `count` choices and the hour. */
export interface Question {
  choices: UserChoices;
  count: number;
  /** Local hour at the user's last known location, 0 to below 24. */
  hour: number;
}

const secondsPerHour = 3600;

/** Returns the local hour (0 to below 24) of a time (seconds since the epoch) at a place; the hour of UTC without one. */
function localHour(time: number, place: Place | null): number {
  const hours = (time + utcOffsetAt(place?.lat ?? null, place?.lon ?? null, time)) / secondsPerHour;
  return ((hours % 24) + 24) % 24;
}

/** Keeps the choices of all users. A dismissal is not a choice. */
export class ChoicesByUser {
  readonly #dataset: Dataset;
  readonly #index: Map<string, number>;
  readonly #users = new Map<string, UserChoices>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
    this.#index = new Map([...dataset.items.keys()].map((id, i) => [id, i]));
  }

  observe(event: DatasetEvent): void {
    if (event.type === "dismiss") return;
    const choices = this.#choicesOf(event.userId);
    const item = this.#dataset.items.get(event.itemId);
    const lat = event.lat ?? item?.lat ?? null;
    const lon = event.lon ?? item?.lon ?? null;
    const place = lat !== null && lon !== null ? { lat, lon } : (choices.places.at(-1) ?? null);
    choices.items.push(this.itemIndex(event));
    choices.hours.push(localHour(event.time, place));
    choices.places.push(place);
  }

  /** Returns the question that an event asks: it holds nothing of the event but its user and its time. */
  question({ userId, time }: Pick<DatasetEvent, "userId" | "time">): Question {
    const choices = this.#choicesOf(userId);
    return { choices, count: choices.items.length, hour: localHour(time, choices.places.at(-1) ?? null) };
  }

  itemIndex({ itemId }: Pick<DatasetEvent, "itemId">): number {
    return this.#index.get(itemId) ?? -1;
  }

  /** Returns the choices of all users, by user. */
  all(): ReadonlyMap<string, UserChoices> {
    return this.#users;
  }

  #choicesOf(userId: string): UserChoices {
    const choices = this.#users.get(userId) ?? { items: [], hours: [], places: [] };
    this.#users.set(userId, choices);
    return choices;
  }
}

/** Returns the choices of all users in the given events. */
export function choicesIn(dataset: Dataset, events: readonly DatasetEvent[]): ChoicesByUser {
  const choices = new ChoicesByUser(dataset);
  for (const event of events) choices.observe(event);
  return choices;
}

/** Returns whether an event asks for a choice: it does not dismiss, and where types differ it repeats no last choice. */
export const choiceTest = (events: readonly DatasetEvent[]) => {
  const hasOneType = hasOneEventType(events);
  return (event: DatasetEvent, { choices, count }: Question, item: number): boolean =>
    event.type !== "dismiss" && (hasOneType || choices.items[count - 1] !== item);
};
