import { describe, expect, it } from "vitest";
import type { DatasetEvent } from "../data/dataset.ts";
import { simulate } from "../simulate/simulate.ts";
import { type Episode, hasUserLocations, replayEpisodes } from "./episodes.ts";
import { Random } from "./random.ts";

const { dataset } = simulate({ products: 600, users: 15, events: 700, days: 40 }, 4, 1_760_000_000);
const events = [...dataset.train, ...dataset.valid];
/** The same events with the locations of their products, as in a check-in dataset. */
const atProducts = events.map((event): DatasetEvent => {
  const item = dataset.items.get(event.itemId);
  return { ...event, lat: item?.lat ?? null, lon: item?.lon ?? null };
});

async function replayAll(
  from: readonly DatasetEvent[],
): Promise<(Pick<Episode, "event" | "holdsPurchase" | "point"> & { profileEvents: number })[]> {
  const list = [];
  const options = { warmUp: 0.3, periods: 3, sampleSize: 10_000, random: new Random(1) };
  for await (const { event, holdsPurchase, point, profile } of replayEpisodes(dataset, from, options))
    list.push({ event, holdsPurchase, point, profileEvents: profile.events });
  return list;
}

describe("replayEpisodes", () => {
  it("yields each episode once, with the state before its first event", async () => {
    const episodes = await replayAll(events);
    expect(episodes.length).toBeGreaterThan(100);
    const counts = new Map<string, number>();
    const earlierEvents = new Map(
      events.map((event) => {
        const n = counts.get(event.userId) ?? 0;
        counts.set(event.userId, n + 1);
        return [event, n];
      }),
    );
    for (const episode of episodes) expect(episode.profileEvents).toBe(earlierEvents.get(episode.event));
    const views = episodes.filter(({ event }) => event.type === "view").length;
    expect(views).toBe(episodes.length);
    expect(episodes.some(({ holdsPurchase }) => holdsPurchase)).toBe(true);
  });

  it("yields every event of one type, as the evaluation asks for every one", async () => {
    const visits = events
      .filter(({ type }) => type === "view")
      .flatMap((event): DatasetEvent[] => [event, { ...event, time: event.time + 600 }]);
    const yielded = await replayAll(visits);
    expect(yielded).toHaveLength(visits.length - Math.floor(visits.length * 0.3));
  });

  it("states user locations, but never the location of the product about to be chosen", async () => {
    expect(hasUserLocations(dataset, events)).toBe(true);
    expect(hasUserLocations(dataset, atProducts)).toBe(false);
    const stated = (await replayAll(events)).filter(({ event, point }) => point?.lat === event.lat).length;
    expect(stated).toBeGreaterThan(50);
    for (const { event, point } of await replayAll(atProducts)) {
      const item = dataset.items.get(event.itemId);
      const last = atProducts
        .filter(({ userId, time }) => userId === event.userId && time < event.time)
        .at(-1);
      if (last?.itemId !== event.itemId) expect(point).not.toMatchObject({ lat: item?.lat, lon: item?.lon });
    }
  });
});
