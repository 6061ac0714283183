import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type AnalyticsDataset, AnalyticsMeter } from "./analytics-meter.ts";
import { CombinedMeter } from "./combined-meter.ts";
import { LogMeter } from "./log-meter.ts";
import type { RequestPoint } from "./request-meter.ts";

const point: RequestPoint = {
  requestId: "r",
  method: "GET",
  route: "/v1/users/:id",
  status: 503,
  code: "unavailable",
  application: "demo",
  latencyMs: 12,
  modelVersion: "m1",
  candidates: 200,
  fallback: "onnx",
};

it("writes each figure to the column from which docs/analytics.sql reads it", () => {
  const points: Parameters<AnalyticsDataset["writeDataPoint"]>[0][] = [];
  new AnalyticsMeter({ writeDataPoint: (each) => points.push(each) }).record(point);
  const [{ indexes, blobs, doubles }] = points;
  const values: Record<string, unknown> = {
    application: indexes[0],
    "route pattern": blobs[0],
    method: blobs[1],
    "code of a refusal": blobs[2],
    "model version": blobs[3],
    "stages left out": blobs[4],
    "HTTP status": doubles[0],
    "latency, ms": doubles[1],
    "candidates ranked": doubles[2],
  };
  expect(Object.values(values)).toEqual([
    "demo",
    point.route,
    "GET",
    "unavailable",
    "m1",
    "onnx",
    503,
    12,
    200,
  ]);
  expect(blobs[5]).toBe("demo");
  const sql = readFileSync(join(import.meta.dirname, "../../../docs/analytics.sql"), "utf8");
  for (const [name, column] of [
    ["route pattern", "blob1"],
    ["method", "blob2"],
    ["code of a refusal", "blob3"],
    ["model version", "blob4"],
    ["stages left out", "blob5"],
    ["HTTP status", "double1"],
    ["latency, ms", "double2"],
    ["candidates ranked", "double3"],
  ])
    expect(sql).toMatch(new RegExp(`${column} +${name}`));
});

it("logs only failures of the service, and passes each point to every meter", () => {
  const lines: string[] = [];
  const log = new LogMeter((line) => lines.push(line));
  new CombinedMeter(log, log).record(point);
  log.record({ ...point, status: 404 });
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0])).toMatchObject({
    event: "request failed",
    route: point.route,
    requestId: "r",
  });
});
