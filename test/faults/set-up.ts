/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { bindings, EventPipeline } from "./event-pipeline.ts";
import { counter, defaultOfObjects, faults, queuedMessages } from "./fault-injector.ts";

const { MIGRATIONS, REGISTRY_MIGRATIONS, LONG } = env as unknown as {
  MIGRATIONS: D1Migration[];
  REGISTRY_MIGRATIONS: D1Migration[];
  LONG: boolean;
};

/** Whether the long form of the tests runs. */
export const isLong = LONG;

/** Migrates the databases before the tests of a file. Each test has a clock that it sets, and ends all of its faults. */
export function prepareFaultTests(): void {
  beforeAll(async () => {
    for (const database of [bindings.DB, bindings.DB_1]) await applyD1Migrations(database, MIGRATIONS);
    await applyD1Migrations(bindings.REGISTRY, REGISTRY_MIGRATIONS);
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => {
    const { exceeded } = counter;
    expect(exceeded.splice(0)).toEqual([]);
    faults.stop();
    queuedMessages.length = 0;
    defaultOfObjects.consent = "exact";
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

let pipelines = 0;

/** Returns a pipeline of a new application with products and empty queues. */
export async function newPipeline(): Promise<EventPipeline> {
  const pipeline = new EventPipeline(`a${pipelines++}`);
  await pipeline.putProducts();
  queuedMessages.length = 0;
  return pipeline;
}
