/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { retention } from "../../shared/contracts/retention.ts";
import { sumTotals } from "../../shared/contracts/totals.ts";
import { removeExpiredInSteps, removeExpiredRows } from "./retention.ts";
import { UserStore } from "./store.ts";

const environment: { DB: D1Database; MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);
const database = environment.DB;
const store = new UserStore([database]);
const now = 1_800_000_000;
const hourDaysAgo = (days: number): number => Math.floor((now - days * 86_400) / 3600);

const event = (eventId: string, productId: string, days: number) => ({
  eventId,
  type: "view" as const,
  productId,
  time: now - days * 86_400,
  recommendationId: null,
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  first: true,
  counts: true,
  networkKey: null,
  firstPurchase: false,
  previous: [],
});

it("removeExpiredRows adds old hours up by hour of the week, without changing the sum", async () => {
  await applyD1Migrations(database, environment.MIGRATIONS);
  const interactions = [
    ...[event("a", "p", 500), event("b", "p", 507), event("c", "p", 500.5), event("d", "p", 10)],
    ...Array.from({ length: 700 }, (_, i) => event(`q${i}`, `q${i}`, 600)),
  ];
  const ann = { userId: "ann", pseudonym: "0".repeat(64), generation: 0 };
  await store.recordInteractions("one", [{ ...ann, interactions }], now);
  const before = await store.hourlyTotals("one", ["p"]);
  const steps: (number | undefined)[] = [];
  for (let i = 0; i < 4; i++)
    steps.push((await removeExpiredRows([database], retention.parse({}), now)).hourlyTotals);
  // A step is bounded, so the second step compacts the rest.
  expect(steps).toEqual([expect.any(Number), expect.any(Number), 0, 0]);
  expect((steps[0] ?? 0) + (steps[1] ?? 0)).toBe(703);
  const [{ hours: rows }] = await store.hourlyTotals("one", ["p"]);
  expect(sumTotals(rows)).toEqual(sumTotals(before[0].hours));
  expect(rows.map(({ hour, view }) => [hour, view])).toEqual(
    [
      [hourDaysAgo(500.5) % 168, 1],
      [hourDaysAgo(500) % 168, 2],
      [hourDaysAgo(10), 1],
    ].sort(([a], [b]) => a - b),
  );
  // An hour that arrives late is added to the compacted hours.
  await store.recordInteractions("one", [{ ...ann, interactions: [event("late", "p", 514)] }], now);
  await removeExpiredRows([database], retention.parse({}), now);
  const [late] = await store.hourlyTotals("one", ["p"]);
  expect(sumTotals(late.hours).view).toBe(sumTotals(rows).view + 1);
  expect(late.hours.some(({ hour, view }) => hour === hourDaysAgo(500) % 168 && view === 3)).toBe(true);
});

it("removeExpiredInSteps does several steps in one call", async () => {
  const interactions = Array.from({ length: 700 }, (_, i) => event(`r${i}`, `r${i}`, 600));
  const ben = { userId: "ben", pseudonym: "1".repeat(64), generation: 0 };
  await store.recordInteractions("two", [{ ...ben, interactions }], now);
  const remove = () => removeExpiredInSteps([database], retention.parse({}), now);
  expect((await remove()).hourlyTotals).toBe(700);
  expect((await remove()).hourlyTotals).toBe(0);
});
