import { utcOffsetAt } from "../../../shared/geo/local-time.ts";
import { hash53 } from "../../columns/hash.ts";
import { Random } from "../../train/random.ts";
import type { Dataset } from "../dataset.ts";
import { joinedUsers } from "./joined-users.ts";
import { replaceEvents } from "./replace-events.ts";

const hourSeconds = 3600;
const daySeconds = 86_400;
/** A pause of at least this many seconds starts a session. */
const sessionPauseSeconds = 6 * hourSeconds;
/** Seconds between two events of a session in the world `order`. */
const stepSeconds = 600;

/**
 * Times tell only the order: sessions a day apart at one hour, ten minutes between the events of one, aligned at each user's last
 * event before the test part. Hours and weekdays mean nothing.
 */
export function orderOnly(dataset: Dataset): Dataset {
  const end = Math.max(...[...dataset.train, ...dataset.valid].map(({ time }) => time));
  return replaceEvents(dataset, (events) => {
    let session = 0;
    let step = 0;
    const times = events.map(({ event }, i) => {
      const startsSession = i > 0 && event.time - events[i - 1].event.time >= sessionPauseSeconds;
      session += startsSession ? 1 : 0;
      step = startsSession || i === 0 ? 0 : step + 1;
      return session * daySeconds + step * stepSeconds;
    });
    const lastPast = events.findLastIndex(({ part }) => part !== "test");
    const shift = end - (times[lastPast] ?? 0);
    return events.map(({ event, part }, i) => ({ event: { ...event, time: times[i] + shift }, part }));
  });
}

/** Each event happens at noon of its local day; events of one day keep their order, a second apart. */
export function withoutHours(dataset: Dataset): Dataset {
  return replaceEvents(dataset, (events) => {
    let before = Number.NEGATIVE_INFINITY;
    return events.map(({ event, part }) => {
      const item = dataset.items.get(event.itemId);
      const offset = utcOffsetAt(item?.lat ?? event.lat, item?.lon ?? event.lon, event.time);
      const noon = Math.floor((event.time + offset) / daySeconds) * daySeconds + daySeconds / 2 - offset;
      before = Math.max(before + 1, noon);
      return { event: { ...event, time: before }, part };
    });
  });
}

/** No product has a category. */
export const withoutCategories = (dataset: Dataset): Dataset => ({
  ...dataset,
  items: new Map([...dataset.items].map(([id, item]) => [id, { ...item, category: "" }])),
});

/** Neither products nor events have coordinates. */
export function withoutCoordinates(dataset: Dataset): Dataset {
  const nowhere = { lat: null, lon: null };
  const items = new Map([...dataset.items].map(([id, item]) => [id, { ...item, ...nowhere }]));
  return replaceEvents({ ...dataset, items }, (events) =>
    events.map(({ event, part }) => ({ event: { ...event, ...nowhere }, part })),
  );
}

/** Each user's clock and calendar are shifted by a random number of hours, up to half a day and half a year back. */
export function withUnalignedClocks(dataset: Dataset): Dataset {
  return replaceEvents(dataset, (events, userId) => {
    const random = new Random(hash53(userId) % 2 ** 31);
    const shift = random.below(24) * hourSeconds + random.below(26) * 7 * daySeconds;
    return events.map(({ event, part }) => ({ event: { ...event, time: event.time - shift }, part }));
  });
}

/** Half of the users. */
export const halfOfUsers = (dataset: Dataset): Dataset =>
  replaceEvents(dataset, (events, userId) => (hash53(userId) % 2 === 0 ? events : []));

/** Variants of a dataset in which a ranker must not lose against counting, by name. */
export const worlds: Readonly<Record<string, (dataset: Dataset) => Dataset>> = {
  given: (dataset) => dataset,
  order: orderOnly,
  "no-hours": withoutHours,
  "no-categories": withoutCategories,
  "no-coordinates": withoutCoordinates,
  unaligned: withUnalignedClocks,
  "half-users": halfOfUsers,
  "many-places": joinedUsers,
};
