/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, createExecutionContext, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { AcceptedInteraction } from "../../shared/contracts/event.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { userInput } from "../../shared/contracts/user.ts";
import type { KnownToTarget } from "../../shared/services/user-api.ts";
import { UserService } from "./service.ts";
import { readAllInteractions } from "./testing/read-all-interactions.ts";

const environment: UserEnv & { DB_1: D1Database; MIGRATIONS: D1Migration[] } = Object.assign(
  { DB_1: env.DB, MIGRATIONS: [] },
  env,
);
const databases = [environment.DB, environment.DB_1];
const service = new UserService(createExecutionContext(), environment);
const application = "shop";
const time = 1_700_000_000;
const nothingKnown: KnownToTarget = { equal: [], conflicting: [], chosen: [], purchased: [] };

const user = (userId: string, generation = 0) => ({
  userId,
  pseudonym: Array.from(userId.padEnd(32), (c) => c.charCodeAt(0).toString(16)).join(""),
  generation,
});
const erasedUser = (userId: string) => ({ ...user(userId), logPseudonym: "c".repeat(64) });
const event = (eventId: string, more: Partial<AcceptedInteraction> = {}): AcceptedInteraction => ({
  ...{ eventId, type: "view", productId: "p", time, recommendationId: null, location: null, previous: [] },
  ...{ counts: true, networkKey: null, first: false, firstPurchase: false },
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  ...more,
});
const record = async (userId: string, interactions: AcceptedInteraction[]) =>
  unwrap(await service.recordInteractions(application, [{ ...user(userId), interactions }]), "user");
/** Copies all of a user's history in pages of two. Returns the number of inserted rows. */
async function copy(from: string, into: string, known = nothingKnown): Promise<number> {
  let inserted = 0;
  for (let after = ""; ; ) {
    const rows = unwrap(await service.readHistory(application, from, after, 2), "user");
    const last = rows.at(-1);
    if (!last) return inserted;
    const step = await service.insertHistory(application, user(into), user(from), rows, known);
    inserted += unwrap(step, "user").inserted;
    after = last.event_id;
  }
}
const historyOf = async (userId: string) => {
  const lists = await Promise.all(databases.map((database) => readAllInteractions(database, application)));
  return lists
    .flat()
    .filter((row) => row.userId === userId)
    .map(({ eventId, type }) => ({ event_id: eventId, type }))
    .sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
};
const totalsOf = async (productId: string) =>
  unwrap(await service.lifetimeTotals(application, [productId]), "user")[0];
async function rebuild(): Promise<void> {
  for (let next: string | null = null; ; ) {
    const step: { next: string | null } = unwrap(
      await service.rebuildTotals(application, next, 1000),
      "user",
    );
    if (step.next === null) return;
    next = step.next;
  }
}

beforeAll(async () => {
  for (const database of databases) await applyD1Migrations(database, environment.MIGRATIONS);
});

describe("a merge in the user databases", () => {
  it("keeps what events were worth, which the history shows in units of the currency", async () => {
    const worth = { value: { minor: 1995, currency: "EUR" }, quantity: 3 };
    await record("payer", [
      event("paid", { type: "purchase", ...worth }),
      event("gift", { type: "purchase", quantity: 2, time: time - 1 }),
      event("seen", { time: time - 2 }),
    ]);
    expect(await copy("payer", "payers-other-id")).toBe(3);
    for (const userId of ["payer", "payers-other-id"]) {
      const { items } = unwrap(await service.listInteractions(application, userId, { limit: 10 }), "user");
      expect(
        items.map(({ eventId, value, currency, quantity }) => [eventId, value, currency, quantity]),
      ).toEqual([
        ["paid", 19.95, "EUR", 3],
        ["gift", undefined, undefined, 2],
        ["seen", undefined, undefined, undefined],
      ]);
    }
  });

  it("copies each interaction once, however often it runs, and counts nothing again", async () => {
    const product = { productId: "shoe" };
    await record("anon-1", [
      event("a", { ...product, first: true }),
      event("b", { ...product, type: "purchase", firstPurchase: true, location: { lat: 1, lon: 2 } }),
      event("c", { ...product, time: time + 7200, recommendationId: "r1" }),
    ]);
    await record("ann", [event("own", { ...product, first: true })]);
    const before = await totalsOf("shoe");
    expect(await copy("anon-1", "ann")).toBe(3);
    expect(await copy("anon-1", "ann")).toBe(0);
    expect(await totalsOf("shoe")).toEqual(before);
    expect((await historyOf("ann")).map(({ event_id }) => event_id)).toEqual(["a", "b", "c", "own"]);
    const { items } = unwrap(await service.listInteractions(application, "ann", { limit: 10 }), "user");
    expect(items.find(({ eventId }) => eventId === "b")).toMatchObject({
      type: "purchase",
      location: { lat: 1, lon: 2 },
    });
    expect(items.find(({ eventId }) => eventId === "c")?.recommendationId).toBe("r1");
  });

  it("counts the merged user once after a rebuild, also by first choices and purchases", async () => {
    await record("anon-2", [
      event("a", { productId: "hat", first: true }),
      event("b", { productId: "hat", type: "purchase", firstPurchase: true }),
      event("c", { productId: "scarf", first: true }),
      event("d", { productId: "glove", type: "purchase", first: true, firstPurchase: true }),
    ]);
    await record("bob", [event("own", { productId: "hat", first: true })]);
    expect((await totalsOf("hat")).people).toBe(2);
    await copy("anon-2", "bob", { ...nothingKnown, chosen: ["glove"], purchased: ["glove"] });
    let more = true;
    while (more)
      ({ more } = unwrap(await service.eraseRecords(application, user("anon-2"), "merged"), "user"));
    await rebuild();
    expect(await totalsOf("hat")).toMatchObject({ view: 1, purchase: 1, people: 1, buyers: 1 });
    expect(await totalsOf("scarf")).toMatchObject({ view: 1, people: 1 });
    // The object of the target knew the product, although its row had not arrived.
    expect(await totalsOf("glove")).toMatchObject({ purchase: 1, people: 0, buyers: 0 });
  });

  it("keeps an event whose id the target uses for another, and leaves out one that both sent", async () => {
    await record("anon-3", [event("x"), event("y"), event("z"), event("same")]);
    await record("cleo", [event("x", { type: "cart" }), event("same")]);
    const known = { ...nothingKnown, conflicting: ["y"], equal: ["z"] };
    expect(await copy("anon-3", "cleo", known)).toBe(2);
    expect(await copy("anon-3", "cleo", known)).toBe(0);
    const history = await historyOf("cleo");
    const derived = history.filter(({ event_id }) => event_id.startsWith("merged-"));
    expect(history.map(({ event_id }) => event_id).filter((id) => id.length < 10)).toEqual(["same", "x"]);
    expect(history.find(({ event_id }) => event_id === "x")?.type).toBe("cart");
    expect(derived).toHaveLength(2);
    // The target's own event of the id arrives after the copy.
    await record("cleo", [event("y", { type: "cart" })]);
    expect((await historyOf("cleo")).find(({ event_id }) => event_id === "y")?.type).toBe("cart");
  });

  it("stores nothing late under the merged user, and nothing for an erased target", async () => {
    await record("anon-4", [event("a")]);
    unwrap(await service.closeMergedGeneration(application, user("anon-4")), "user");
    expect((await record("anon-4", [event("late")])).inserted).toBe(0);
    const visit = { seq: 1, lat: 1, lon: 2, time, precision: "exact" as const };
    const visits = [{ ...user("anon-4"), visits: [visit] }];
    expect(unwrap(await service.recordLocations(application, visits), "user").inserted).toBe(0);
    const { pseudonym } = user("anon-4");
    expect(unwrap(await service.findTombstones(application, [pseudonym]), "user")).toEqual([
      { pseudonym, generation: -1, mergedGeneration: 0 },
    ]);
    unwrap(await service.eraseRecords(application, erasedUser("dora")), "user");
    expect(await copy("anon-4", "dora")).toBe(0);
    expect((await service.get(application, "dora")).ok).toBe(false);
    unwrap(await service.eraseRecords(application, erasedUser("anon-4")), "user");
    expect(unwrap(await service.findTombstones(application, [pseudonym]), "user")).toEqual([
      { pseudonym, generation: 0, mergedGeneration: 0 },
    ]);
  });

  it("reads visits in their order, with their numbers", async () => {
    const visit = (seq: number) => ({ seq, lat: seq, lon: 2, time: time + seq, precision: "city" as const });
    await service.recordLocations(application, [
      { ...user("anon-5"), visits: [visit(3), visit(1), visit(2)] },
    ]);
    const read = async (after: number, limit: number) =>
      unwrap(await service.readVisits(application, "anon-5", after, limit), "user");
    expect(await read(0, 2)).toEqual([visit(1), visit(2)]);
    expect(await read(2, 2)).toEqual([visit(3)]);
  });

  it("gives stated settings to a target that has stated none, and to no other", async () => {
    const settings = (lat: number) =>
      userInput.parse({ home: { lat, lon: 2 }, consent: { location: "city" }, attributes: { tier: "gold" } });
    await service.put(application, "anon-6", settings(1));
    const adopted = unwrap(await service.adoptProfile(application, "anon-6", user("ed")), "user");
    expect(adopted).toMatchObject({ home: { lat: 1, lon: 2 }, precision: "city", version: 1 });
    expect(unwrap(await service.get(application, "ed"), "user").attributes).toEqual({ tier: "gold" });
    await service.put(application, "fay", settings(5));
    const kept = unwrap(await service.adoptProfile(application, "anon-6", user("fay")), "user");
    expect(kept?.home).toEqual({ lat: 5, lon: 2 });
    await record("gil", [event("a")]);
    expect(unwrap(await service.adoptProfile(application, "gil", user("hal")), "user")).toBeNull();
    unwrap(await service.eraseRecords(application, erasedUser("ida")), "user");
    expect(unwrap(await service.adoptProfile(application, "anon-6", user("ida")), "user")).toBeNull();
  });
});
