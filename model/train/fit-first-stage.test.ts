import { describe, expect, it } from "vitest";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { fitFirstStage } from "./fit-first-stage.ts";
import { Random } from "./random.ts";

const start = 1_760_000_000;

/** Three hundred products along a street of 30 km. */
const items = new Map<string, DatasetItem>(
  Array.from({ length: 300 }, (_, i) => [
    `p${i}`,
    {
      id: `p${i}`,
      title: `p${i}`,
      category: "cafe",
      price: null,
      currency: null,
      discount: 0,
      rating: null,
      lat: 48.8,
      lon: 2.3 + i * 0.00136,
      attributes: {},
    } as DatasetItem,
  ]),
);

/** People who walk: each goes on from where they are by `step`, always to something new to them. */
function walks(people: number, events: number, step: (at: number, random: Random) => number): DatasetEvent[] {
  const random = new Random(5);
  const list: DatasetEvent[] = [];
  for (let person = 0; person < people; person++) {
    let at = random.below(items.size);
    for (let i = 0; i < events; i++) {
      at = (step(at, random) + items.size) % items.size;
      list.push({
        userId: `u${person}`,
        itemId: `p${at}`,
        type: "purchase",
        time: start + (i * people + person) * 4000,
        lat: null,
        lon: null,
      });
    }
  }
  return list;
}

const fitOn = (events: DatasetEvent[]) =>
  fitFirstStage({ items } as Pick<Dataset, "items">, events, {
    warmUp: 0.2,
    periods: 2,
    sampleSize: 2000,
    random: new Random(1),
  });

describe("the first stage's weights", () => {
  it("say that nearness counts where people go on to what is near, and that it does not where they go anywhere", async () => {
    const close = await fitOn(walks(20, 40, (at, random) => at + 1 + random.below(3)));
    const anywhere = await fitOn(walks(20, 40, (_, random) => random.below(items.size)));
    expect(close.near).toBeGreaterThan(1);
    expect(anywhere.near).toBeLessThan(0.4);
  });

  it("say that popularity counts where everyone goes to the same few", async () => {
    const famous = await fitOn(
      walks(40, 20, (_, random) => (random.next() < 0.7 ? random.below(40) * 7 : random.below(300))),
    );
    const equal = await fitOn(walks(40, 20, (_, random) => random.below(items.size)));
    // What ten people's purchases of this week say, against nobody's.
    const fame = ({ people, hot, fresh }: FirstStage): number =>
      people * Math.log1p(10) + hot * Math.log1p(120) - fresh;
    expect(fame(famous)).toBeGreaterThan(fame(equal) + 1);
  });

  it("are the defaults where there is little to learn from", async () => {
    expect(await fitOn(walks(3, 4, (at) => at + 1))).toEqual(defaultFirstStage);
    expect(await fitOn([])).toEqual(defaultFirstStage);
  });
});
