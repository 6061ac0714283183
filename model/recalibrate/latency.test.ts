import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { gateConfiguration, maxLatencyMs } from "./gate.ts";
import { latencyOf, type Timed } from "./latency.ts";

const configuration = gateConfiguration.parse({ latencyFloorMs: 1 });

/** A model of so many ms a run on a machine that makes most things slower, up to four times. */
function timed(ms: number, random: Random): Timed & { looks: number } {
  const busy = (): number => (random.next() < 0.25 ? 1 : 1 + 3 * random.next());
  const self = {
    runs: 20,
    looks: 0,
    none: async () => 3 * busy(),
    many: async () => {
      self.looks++;
      return (3 + 20 * ms) * busy();
    },
  };
  return self;
}

const refused = async (candidateMs: number, seed: number): Promise<boolean> => {
  const random = new Random(seed);
  const found = await latencyOf(timed(candidateMs, random), timed(2, random), configuration);
  return found.candidateMs > maxLatencyMs(found.servingMs, configuration);
};
const seeds = Array.from({ length: 300 }, (_, i) => i + 1);

describe("the latency of a candidate", () => {
  it("is not found too high because the machine is busy", async () => {
    const wrong = await Promise.all(seeds.map((seed) => refused(2, seed)));
    expect(wrong.filter(Boolean).length).toBeLessThan(5);
  });

  it("is found too high where it is", async () => {
    const right = await Promise.all(seeds.map((seed) => refused(6, seed)));
    expect(right.filter(Boolean).length).toBeGreaterThan(280);
  });

  it("is looked at no longer than needed", async () => {
    const calm = (ms: number) => ({ runs: 10, none: async () => 1, many: async () => 1 + 10 * ms });
    let looks = 0;
    const candidate = { ...calm(2), many: async () => 1 + 20 + 0 * looks++ };
    expect(await latencyOf(candidate, calm(2), configuration)).toEqual({ candidateMs: 2, servingMs: 2 });
    expect(looks).toBe(5);
  });
});
