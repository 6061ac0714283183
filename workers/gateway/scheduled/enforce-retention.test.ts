import { describe, expect, it } from "vitest";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { type RemovedCounts, retention } from "../../../shared/contracts/retention.ts";
import { gatewaySettingsOf } from "../settings.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { enforceRetention } from "./enforce-retention.ts";

const limits = retention.parse({});

/** In-memory services whose user service calls `step` for each step of retention. */
function servicesWithRetention(step: () => Promise<Result<RemovedCounts>>) {
  const services = inMemoryServices();
  return { ...services, user: { ...services.user, applyRetention: step } };
}
const store = { removeExpired: async () => ({ keys: 0 }) };

describe("enforceRetention", () => {
  it("repeats until a step removes nothing, and returns the sums", async () => {
    const steps: RemovedCounts[] = [
      { interactions: 5, places: 1 },
      { interactions: 2 },
      {},
      { interactions: 9 },
    ];
    const services = servicesWithRetention(async () => ok(steps.shift() ?? {}));
    expect(await enforceRetention(services, store, limits, 0)).toEqual({
      removed: { interactions: 7, places: 1 },
      failed: [],
    });
  });

  it("calls other workers less often than the platform allows, however much is left", async () => {
    const services = inMemoryServices();
    let calls = 0;
    for (const name of ["recommendation", "user", "product", "trainer"] as const)
      services[name].applyRetention = async () => ok({ interactions: ++calls && 1 });
    const { removed, failed } = await enforceRetention(services, store, limits, 0);
    expect([removed.interactions, failed]).toEqual([calls, []]);
    expect(calls).toBeGreaterThan(20);
    expect(calls).toBeLessThan(31);
  });

  it("reports a worker that failed, and runs the others", async () => {
    const services = servicesWithRetention(async () => refuse("unavailable", "no database"));
    let keys = 3;
    const ownStore = { removeExpired: async () => ({ keys: keys > 0 ? keys-- && 1 : 0 }) };
    const { removed, failed } = await enforceRetention(services, ownStore, limits, 0);
    expect(failed).toEqual(["user: Error: no database"]);
    expect(removed).toEqual({ keys: 3 });
  });
});

describe("the variable RETENTION", () => {
  it("overrides the defaults, and is refused where malformed or where tombstones would expire too early", () => {
    const settings = gatewaySettingsOf({ RETENTION: '{"trainingLog": 30}' });
    expect(settings.retention).toEqual({ ...limits, trainingLog: 30 });
    for (const wrong of ["{", '{"trainingLog": 0}', '{"logs": 3}', '{"trainingLog": 500}'])
      expect(() => gatewaySettingsOf({ RETENTION: wrong }), wrong).toThrow();
  });
});
