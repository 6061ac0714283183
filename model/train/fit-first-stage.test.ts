import { describe, expect, it } from "vitest";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { fitFirstStage } from "./fit-first-stage.ts";
import { Random } from "./random.ts";

const start = 1_760_000_000;

/** Sizes of the datasets; `npm run test:long` takes more. */
const long = process.env.VICINITY_LONG === "1";
const walkSize = long ? { users: 20, events: 40 } : { users: 10, events: 25 };
const popularitySize = long ? { users: 40, events: 20 } : { users: 20, events: 15 };

/** Three hundred products along a line of 30 km. */
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

/** Returns the purchases of users who move along the line; `step` returns the next product's index. */
function walks(
  { users, events }: { users: number; events: number },
  step: (at: number, random: Random) => number,
): DatasetEvent[] {
  const random = new Random(5);
  const list: DatasetEvent[] = [];
  for (let user = 0; user < users; user++) {
    let at = random.below(items.size);
    for (let i = 0; i < events; i++) {
      at = (step(at, random) + items.size) % items.size;
      list.push({
        userId: `u${user}`,
        itemId: `p${at}`,
        type: "purchase",
        time: start + (i * users + user) * 4000,
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

describe("fitFirstStage", () => {
  it("weighs proximity by whether users choose nearby products", async () => {
    const close = await fitOn(walks(walkSize, (at, random) => at + 1 + random.below(3)));
    const anywhere = await fitOn(walks(walkSize, (_, random) => random.below(items.size)));
    expect(close.near).toBeGreaterThan(1);
    expect(anywhere.near).toBeLessThan(0.4);
  });

  it("weighs popularity by whether users choose the same few products", async () => {
    const famous = await fitOn(
      walks(popularitySize, (_, random) => (random.next() < 0.7 ? random.below(40) * 7 : random.below(300))),
    );
    const equal = await fitOn(walks(popularitySize, (_, random) => random.below(items.size)));
    // Score of a product with ten recent buyers, minus the score of a product without any.
    const popularityScore = ({ people, hot, fresh }: FirstStage): number =>
      people * Math.log1p(10) + hot * Math.log1p(120) - fresh;
    expect(popularityScore(famous)).toBeGreaterThan(popularityScore(equal) + 1);
  });

  it("returns the default weights if there are few choices", async () => {
    expect(await fitOn(walks({ users: 3, events: 4 }, (at) => at + 1))).toEqual(defaultFirstStage);
    expect(await fitOn([])).toEqual(defaultFirstStage);
  });
});
