import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { simulate } from "../simulate/simulate.ts";
import { type DatasetItem, weekShift } from "./dataset.ts";
import { parseDataset } from "./read-files.ts";
import { writeDataset } from "./write-dataset.ts";

const item = {
  name: "town.item",
  text: "item_id:token\tcategory:token\tlat:float\tlon:float\tprice_tier:float\n1\tcafe\t59.9\t10.7\t2\n2\t\t\t\t\n..\tcafe\t1\t1\t1\n3\tcafe\t95\t10\t1\n",
};

describe("readFiles", () => {
  it("keeps valid rows, reports invalid rows, and reads missing values as null", () => {
    const dataset = parseDataset([
      item,
      {
        name: "town.inter",
        text: "user_id:token\titem_id:token\tevent_type:token\ttimestamp:float\nu\t1\tview\t100\nu\t9\tpurchase\t50\nu\t1\tfly\t3\nu\t1\tview\tsoon\n\tu\tview\t3",
      },
    ]);
    expect(dataset.name).toBe("town");
    expect(dataset.rejectedRows).toBe(4);
    expect(dataset.problems[0]).toContain("town.item, line 4");
    expect(dataset.items.get("3")).toMatchObject({ category: "cafe", lat: null, lon: null });
    expect(dataset.items.get("1")).toMatchObject({
      title: "cafe 1",
      lat: 59.9,
      attributes: { price_tier: 2 },
    });
    expect(dataset.items.get("2")).toMatchObject({ category: "unknown", lat: null });
    expect(dataset.items.has("9")).toBe(true);
    expect(dataset.train.map((each) => each.time)).toEqual([50, 100]);
  });

  it("reads what events were worth, writes it, and leaves out what the API would refuse", () => {
    const lines = [
      "user_id,item_id,event_type,timestamp,value,currency,qty",
      ...[
        "u,1,purchase,100,19.90,eur,2",
        "u,1,purchase,200,5,,3",
        "u,1,purchase,300,1.005,EUR,",
        "u,1,cart,400,,,1.5",
      ],
    ];
    const dataset = parseDataset([{ name: "x.csv", text: lines.join("\n") }]);
    const events = [...dataset.train, ...dataset.valid, ...dataset.test];
    const worth = events.map(({ value, currency, quantity }) => [value, currency, quantity]);
    expect(worth).toEqual([
      [19.9, "EUR", 2],
      [undefined, undefined, 3],
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ]);
    expect(dataset.rejectedRows).toBe(0);
    const again = parseDataset(writeDataset(dataset));
    expect([...again.train, ...again.valid, ...again.test]).toEqual(events);
  });

  it("splits a single file by time per user", () => {
    const lines = ["user_id:token\titem_id:token\ttimestamp:float"];
    for (let i = 0; i < 100; i++) lines.push(`${i % 2 ? "a" : "b"}\t${i % 7}\t${i}`);
    const { train, valid, test } = parseDataset([{ name: "x.inter", text: lines.join("\n") }]);
    expect([train.length, valid.length, test.length]).toEqual([72, 8, 20]);
    for (const userId of ["a", "b"]) {
      const last = Math.max(...train.filter((each) => each.userId === userId).map((each) => each.time));
      expect(test.filter((each) => each.userId === userId).every((each) => each.time > last)).toBe(true);
    }
    expect(train[0].type).toBe("purchase");
  });

  it("reads the files that writeDataset returns", () => {
    const dataset = parseDataset([
      item,
      {
        name: "town.train.inter",
        text: "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t100\nv\t2\t200",
      },
      { name: "town.valid.inter", text: "user_id:token\titem_id:token\ttimestamp:float\nu\t2\t300" },
      { name: "town.test.inter", text: "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t400" },
    ]);
    const again = parseDataset(writeDataset(dataset));
    expect(again.train).toEqual(dataset.train);
    expect(again.valid).toEqual(dataset.valid);
    expect(again.test).toEqual(dataset.test);
  });

  it("preserves a simulated marketplace through writing and parsing", () => {
    const { dataset } = simulate({ products: 200, users: 10, events: 400, days: 10 }, 1, 1_760_000_000);
    const again = parseDataset(writeDataset(dataset));
    expect(again).toEqual(dataset);
  });

  it("preserves what cannot be bought, and groups of variants", () => {
    const dataset = parseDataset([
      {
        name: "x.item",
        text: 'item_id:token\ttitle:token\tavailable:token\tgroup_id:token\n1\t"Pan 12"" iron"\tfalse\tpan\n2\t"Heroes"\ttrue\t',
      },
      { name: "x.inter", text: "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t1" },
    ]);
    expect([...dataset.items.values()].map(({ title }) => title)).toEqual(['Pan 12" iron', '"Heroes"']);
    expect(dataset.items.get("1")).toMatchObject({ available: false, groupId: "pan" });
    expect(parseDataset(writeDataset(dataset))).toEqual(dataset);
  });

  it("preserves any text, except that white space becomes a space", () => {
    const value = fc.string({ minLength: 1 }).map((text) => `x${text}`);
    fc.assert(
      fc.property(value, value, (title, color) => {
        const dataset = parseDataset([
          { name: "x.inter", text: "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t1" },
        ]);
        const item = { ...dataset.items.get("1"), id: "1", title, attributes: { color } } as DatasetItem;
        const again = parseDataset(writeDataset({ ...dataset, items: new Map([["1", item]]) }));
        const plain = (text: string): string => text.replaceAll(/\s/g, " ");
        expect(again.items.get("1")).toEqual({
          ...item,
          title: plain(title),
          attributes: { color: plain(color) },
        });
      }),
    );
  });

  it("takes a dataset name with dots from the file name, and ignores a byte order mark", () => {
    const text = "\uFEFFuser_id:token\titem_id:token\r\nu\t1\r\nu\t2\r\n";
    const dataset = parseDataset([{ name: "shop.v2.inter", text }]);
    expect(dataset.name).toBe("shop.v2");
    expect(dataset.train.map((event) => event.itemId)).toEqual(["1", "2"]);
    expect(dataset.rejectedRows).toBe(0);
  });

  it("throws if there is no event file or no valid event", () => {
    expect(() => parseDataset([item])).toThrow("no .inter file");
    expect(() => parseDataset([{ name: "x.inter", text: "user_id:token\titem_id:token\n" }])).toThrow(
      "there is no row below the header of x.inter",
    );
  });
});

describe("weekShift", () => {
  it("returns whole weeks that move the last time into the week before now", () => {
    const now = 1_760_000_000;
    for (const last of [1_360_000_000, 1_759_999_999, 1_759_000_000]) {
      const moved = last + weekShift(last, now);
      expect(now - moved).toBeGreaterThanOrEqual(0);
      expect(now - moved).toBeLessThan(7 * 86_400);
      expect((moved - last) % (7 * 86_400)).toBe(0);
    }
  });
});
