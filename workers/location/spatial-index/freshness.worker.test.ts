import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { Random } from "../../../model/train/random.ts";
import { FreshnessSimulation, type SimulationResult } from "../testing/freshness-simulation.ts";

const { LONG }: { LONG: boolean } = Object.assign({ LONG: false }, env);
/** Simulated time in which products change, in milliseconds. */
const changesMs = LONG ? 900_000 : 60_000;
const outage = LONG ? { fromMs: 200_000, toMs: 500_000 } : { fromMs: 10_000, toMs: 50_000 };

const rows: string[] = [];
const share = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))];

/** Adds a row to the table that the bench prints. Prices in dollars a million operations. */
function addRow(
  name: string,
  { changes, answers, delaysMs, wentBack, kv, objectRequests }: SimulationResult,
) {
  const seconds = [0.5, 0.99, 1].map((part) => (share(delaysMs, part) / 1000).toFixed(1));
  const readsCost = (0.5 * kv.reads + 0.15 * objectRequests) / answers;
  rows.push(
    `| ${[name, changes, answers, ...seconds, wentBack, (kv.writes / changes).toFixed(2), (kv.reads / answers).toFixed(3), (objectRequests / answers).toFixed(2), readsCost.toFixed(2)].join(" | ")} |`,
  );
}

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  // A time ahead of the machine's clock: no alarm runs by itself.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2100, 0, 4, 12) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
afterAll(() =>
  console.log(
    [
      "| directories | changes | answers | until all answers of a location show a change, s: p50 | p99 | longest | answers with an older version than before | KV writes a change | KV reads an answer | requests of objects an answer | reads of a million answers, $ |",
      `|${" --- |".repeat(11)}`,
      ...rows,
    ].join("\n"),
  ),
);

it("99% of changes are in all answers of five locations within 10 s, and all within 90 s", async () => {
  const random = new Random(5);
  const result = await new FreshnessSimulation({
    application: "fresh",
    changesMs,
    outage: null,
    random: () => random.next(),
  }).run();
  addRow("reachable", result);
  expect(result.changes).toBeGreaterThan(10);
  expect(share(result.delaysMs, 0.99)).toBeLessThanOrEqual(10_000);
  expect(Math.max(...result.delaysMs)).toBeLessThanOrEqual(90_000);
  expect([result.wentBack, result.incomplete]).toEqual([0, 0]);
}, 600_000);

it("all changes are in all answers within 90 s while no directory can be reached, by readers or cells", async () => {
  const random = new Random(6);
  const result = await new FreshnessSimulation({
    application: "outage",
    changesMs,
    outage,
    random: () => random.next(),
  }).run();
  addRow(`unreachable for ${(outage.toMs - outage.fromMs) / 1000} s`, result);
  expect(Math.max(...result.delaysMs)).toBeLessThanOrEqual(90_000);
  expect([result.wentBack, result.incomplete]).toEqual([0, 0]);
}, 600_000);
