import { describe, expect, it } from "vitest";
import { simulate } from "../simulate/simulate.ts";
import { train } from "./train-job.ts";
import { trainRankers } from "./train-rankers.ts";

const { dataset } = simulate({ products: 100, users: 6, events: 150, days: 20 }, 5, 1_760_000_000);
const budget = { lists: 60, negatives: 10, epochs: 1, periods: 2 };
const jobOf = (seed: number) => ({ budget, seed, input: { dataset } });

describe("trainRankers", () => {
  it("trains in threads the models that one thread trains, in order", { timeout: 120_000 }, async () => {
    const seeds = [4, 2];
    const trained = await trainRankers(
      seeds.map((seed) => ({ name: `seed ${seed}`, job: () => jobOf(seed) })),
      2,
    );
    const hooks = { clock: () => 0, onExamples: () => undefined, onProgress: () => undefined };
    for (const [i, seed] of seeds.entries()) expect(trained[i]).toEqual(await train(jobOf(seed), hooks));
    expect(trained[0].bytes).not.toEqual(trained[1].bytes);
  });
});
