import { describe, expect, it } from "vitest";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { type RemovedCounts, retention } from "../../../shared/contracts/retention.ts";
import { gatewaySettingsOf } from "../settings.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { applyRetention } from "./apply-retention.ts";

const limits = retention.parse({});

/** Services of which one removes what is listed, step by step. */
function servicesThat(step: () => Promise<Result<RemovedCounts>>) {
  const services = inMemoryServices();
  return { ...services, user: { ...services.user, retain: step } };
}
const store = { removeExpired: async () => ({ keys: 0 }) };

describe("retention", () => {
  it("goes on until nothing is left, and sums up", async () => {
    const steps: RemovedCounts[] = [
      { interactions: 5, places: 1 },
      { interactions: 2 },
      {},
      { interactions: 9 },
    ];
    const services = servicesThat(async () => ok(steps.shift() ?? {}));
    expect(await applyRetention(services, store, limits, 0)).toEqual({
      removed: { interactions: 7, places: 1 },
      failed: [],
    });
  });

  it("ends after so many steps, and leaves the rest to the next night", async () => {
    let steps = 0;
    const services = servicesThat(async () => ok({ interactions: ++steps && 1 }));
    const { removed } = await applyRetention(services, store, limits, 0);
    expect(removed.interactions).toBe(steps);
    expect(steps).toBeLessThan(100);
  });

  it("names what failed and does the rest", async () => {
    const services = servicesThat(async () => refuse("unavailable", "no database"));
    let keys = 3;
    const ownStore = { removeExpired: async () => ({ keys: keys > 0 ? keys-- && 1 : 0 }) };
    const { removed, failed } = await applyRetention(services, ownStore, limits, 0);
    expect(failed).toEqual(["user: Error: no database"]);
    expect(removed).toEqual({ keys: 3 });
  });

  it("is configured by one variable, and refuses what would name the erased", () => {
    const settings = gatewaySettingsOf({ RETENTION: '{"trainingLog": 30}' });
    expect(settings.retention).toEqual({ ...limits, trainingLog: 30 });
    for (const wrong of ["{", '{"trainingLog": 0}', '{"logs": 3}', '{"trainingLog": 500}'])
      expect(() => gatewaySettingsOf({ RETENTION: wrong }), wrong).toThrow();
  });
});
