import { describe, expect, it } from "vitest";
import type { DatasetEvent } from "../data/dataset.ts";
import { simulate } from "../simulate/simulate.ts";
import { type Episode, episodesOf, tellWhereTheyAre } from "./episodes.ts";
import { Random } from "./random.ts";

const { dataset } = simulate({ products: 600, users: 15, events: 700, days: 40 }, 4, 1_760_000_000);
const events = [...dataset.train, ...dataset.valid];
/** The same, as a place where people check in tells it. */
const atProducts = events.map((event): DatasetEvent => {
  const item = dataset.items.get(event.itemId);
  return { ...event, lat: item?.lat ?? null, lon: item?.lon ?? null };
});

async function all(
  from: readonly DatasetEvent[],
): Promise<(Pick<Episode, "event" | "bought" | "point"> & { known: number })[]> {
  const list = [];
  const options = { warmUp: 0.3, parts: 3, most: 10_000, random: new Random(1) };
  for await (const { event, bought, point, profile: person } of episodesOf(dataset, from, options))
    list.push({ event, bought, point, known: person.events });
  return list;
}

describe("episodes", () => {
  it("are asked about before they are known, once each, however many events they have", async () => {
    const episodes = await all(events);
    expect(episodes.length).toBeGreaterThan(100);
    const before = new Map<string, number>();
    const known = new Map(
      events.map((event) => {
        const n = before.get(event.userId) ?? 0;
        before.set(event.userId, n + 1);
        return [event, n];
      }),
    );
    for (const episode of episodes) expect(episode.known).toBe(known.get(episode.event));
    const views = episodes.filter(({ event }) => event.type === "view").length;
    expect(views).toBe(episodes.length);
    expect(episodes.some(({ bought }) => bought)).toBe(true);
  });

  it("say where people are as requests do, but never where what they are about to choose is", async () => {
    expect(tellWhereTheyAre(dataset, events)).toBe(true);
    expect(tellWhereTheyAre(dataset, atProducts)).toBe(false);
    const said = (await all(events)).filter(({ event, point }) => point?.lat === event.lat).length;
    expect(said).toBeGreaterThan(50);
    for (const { event, point } of await all(atProducts)) {
      const item = dataset.items.get(event.itemId);
      const last = atProducts
        .filter(({ userId, time }) => userId === event.userId && time < event.time)
        .at(-1);
      if (last?.itemId !== event.itemId) expect(point).not.toMatchObject({ lat: item?.lat, lon: item?.lon });
    }
  });
});
