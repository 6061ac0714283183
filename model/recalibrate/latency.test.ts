import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { gateConfiguration, maxLatencyMs } from "./gate.ts";
import { measureLatency, type TimedModel } from "./latency.ts";

const configuration = gateConfiguration.parse({ latencyFloorMs: 1 });

/** Returns a model of `ms` per run on a machine whose load slows most calls, up to fourfold. */
function timed(ms: number, random: Random): TimedModel {
  const busy = (): number => (random.next() < 0.25 ? 1 : 1 + 3 * random.next());
  return {
    runs: 20,
    timeOverhead: async () => 3 * busy(),
    timeRuns: async () => (3 + 20 * ms) * busy(),
  };
}

const refused = async (candidateMs: number, seed: number): Promise<boolean> => {
  const random = new Random(seed);
  const found = await measureLatency(timed(candidateMs, random), timed(2, random), configuration);
  return found.candidateMs > maxLatencyMs(found.servingMs, configuration);
};
const seeds = Array.from({ length: 300 }, (_, i) => i + 1);

describe("measureLatency", () => {
  it("does not report a candidate as too slow because the machine is busy", async () => {
    const wrong = await Promise.all(seeds.map((seed) => refused(2, seed)));
    expect(wrong.filter(Boolean).length).toBeLessThan(5);
  });

  it("reports a candidate that is too slow", async () => {
    const right = await Promise.all(seeds.map((seed) => refused(6, seed)));
    expect(right.filter(Boolean).length).toBeGreaterThan(280);
  });

  it("measures no more rounds than needed", async () => {
    const idle = (ms: number) => ({
      runs: 10,
      timeOverhead: async () => 1,
      timeRuns: async () => 1 + 10 * ms,
    });
    let rounds = 0;
    const candidate = {
      ...idle(2),
      timeRuns: async () => {
        rounds++;
        return 1 + 10 * 2;
      },
    };
    expect(await measureLatency(candidate, idle(2), configuration)).toEqual({ candidateMs: 2, servingMs: 2 });
    expect(rounds).toBe(5);
  });
});
