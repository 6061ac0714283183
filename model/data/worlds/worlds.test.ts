import { describe, expect, it } from "vitest";
import { simulate } from "../../simulate/simulate.ts";
import { allEvents, type Dataset, type DatasetEvent } from "../dataset.ts";
import { worlds } from "./worlds.ts";

const { dataset } = simulate({ products: 600, users: 30, events: 3000, days: 40 }, 4, 1_760_000_000);

const eventsOf = (of: Dataset, userId: string): DatasetEvent[] =>
  allEvents(of)
    .filter((event) => event.userId === userId)
    .sort((a, b) => a.time - b.time);
const userIds = [...new Set(allEvents(dataset).map(({ userId }) => userId))];
/** Users whose events all have times of their own, so that their order is sure. */
const distinctUsers = userIds.filter((userId) => {
  const times = eventsOf(dataset, userId).map(({ time }) => time);
  return new Set(times).size === times.length;
});

describe("worlds", () => {
  it("keep each part's number of events, and its order in time", () => {
    for (const [name, world] of Object.entries(worlds)) {
      const made = world(dataset);
      for (const part of ["train", "valid", "test"] as const) {
        const times = made[part].map(({ time }) => time);
        expect(times, name).toEqual([...times].sort((a, b) => a - b));
        if (name === "half-users") expect(times.length).toBeLessThan(dataset[part].length);
        else expect(times, name).toHaveLength(dataset[part].length);
      }
    }
  });

  it("keep the order of each user's choices", () => {
    expect(distinctUsers.length).toBeGreaterThan(5);
    for (const name of ["order", "no-hours", "no-categories", "no-coordinates", "unaligned"])
      for (const userId of distinctUsers)
        expect(eventsOf(worlds[name](dataset), userId).map(({ itemId }) => itemId)).toEqual(
          eventsOf(dataset, userId).map(({ itemId }) => itemId),
        );
  });

  it("leave nothing of what they take away", () => {
    for (const userId of userIds) {
      const ordered = eventsOf(worlds.order(dataset), userId).map(({ time }) => time);
      for (const gap of ordered.slice(1).map((time, i) => time - ordered[i]))
        expect(gap === 600 || gap > 43_200).toBe(true);
    }
    expect(
      new Set([...worlds["no-categories"](dataset).items.values()].map(({ category }) => category)),
    ).toEqual(new Set([""]));
    const nowhere = worlds["no-coordinates"](dataset);
    for (const each of [...nowhere.items.values(), ...allEvents(nowhere)])
      expect([each.lat, each.lon]).toEqual([null, null]);
    const [userId] = distinctUsers;
    const shifts = eventsOf(dataset, userId).map(
      ({ time }, i) => time - eventsOf(worlds.unaligned(dataset), userId)[i].time,
    );
    expect(new Set(shifts).size).toBe(1);
    expect(shifts[0] % 3600).toBe(0);
  });

  it("align sessions at each user's last event before the test part", () => {
    const { train, valid } = worlds.order(dataset);
    const last = new Map<string, number>();
    for (const { userId, time } of [...train, ...valid])
      last.set(userId, Math.max(last.get(userId) ?? 0, time));
    expect(new Set(last.values()).size).toBe(1);
  });

  it("join users until an account has 500 products", () => {
    const joined = worlds["many-places"](dataset);
    const products = new Map<string, Set<string>>();
    for (const { userId, itemId } of allEvents(joined))
      products.set(userId, (products.get(userId) ?? new Set()).add(itemId));
    const sizes = [...products.values()].map(({ size }) => size).sort((a, b) => b - a);
    expect(sizes.length).toBeLessThan(userIds.length);
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(500);
  });
});
