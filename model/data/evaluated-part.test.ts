import { describe, expect, it } from "vitest";
import type { Dataset, DatasetEvent } from "./dataset.ts";
import { evaluatedOn } from "./evaluated-part.ts";

const event = (userId: string, time: number): DatasetEvent => ({
  ...{ userId, itemId: "a", type: "purchase", time, lat: null, lon: null },
});
const dataset = (train: DatasetEvent[], valid: DatasetEvent[]): Dataset => ({
  ...{ name: "d", items: new Map(), train, valid, test: [event("u", 1000)], problems: [], rejectedRows: 0 },
});

describe("evaluatedOn", () => {
  it("asks on the validation part, and lets nothing read the test part", () => {
    const given = dataset([event("u", 1)], [event("u", 2), event("v", 3)]);
    expect(evaluatedOn(given, "valid")).toMatchObject({ train: given.train, valid: [], test: given.valid });
    expect(evaluatedOn(given, "test")).toBe(given);
  });

  it("holds back the newest tenth of each user's training events, if there is no validation part", () => {
    const events = Array.from({ length: 60 }, (_, i) => event(i % 3 === 0 ? "u" : "v", i));
    const { train, valid, test } = evaluatedOn(dataset(events, []), "valid");
    expect(valid).toEqual([]);
    expect(train).toHaveLength(54);
    expect(test.map(({ userId, time }) => `${userId}${time}`)).toEqual([
      "u54",
      "v55",
      "v56",
      "u57",
      "v58",
      "v59",
    ]);
    for (const userId of ["u", "v"]) {
      const newestTrained = Math.max(
        ...train.filter((each) => each.userId === userId).map(({ time }) => time),
      );
      for (const each of test.filter((held) => held.userId === userId))
        expect(each.time).toBeGreaterThan(newestTrained);
    }
  });
});
