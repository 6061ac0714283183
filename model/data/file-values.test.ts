import { describe, expect, it } from "vitest";
import { inter, read, readProducts } from "./testing.ts";

describe("files: values", () => {
  it("files: text stays text: `1e5`, `0x10`, twenty digits, spaces inside", () => {
    const texts = ["1e5", "0x10", "12345678901234567890", "007", "1.50", "true", "a  b", "NaN"];
    for (const type of [":token", ":token_seq", ""]) {
      const lines = [
        `item_id:token\tcode${type}\ttitle:token`,
        ...texts.map((text) => `${text.replaceAll(" ", "")}\t${text}\t${text}`),
      ];
      const { dataset } = readProducts(lines);
      expect([...dataset.items.values()].map(({ title, attributes }) => [title, attributes.code])).toEqual(
        texts.map((text) => [text, text]),
      );
      expect([...dataset.items.keys()]).toEqual(texts.map((text) => text.replaceAll(" ", "")));
    }
  });

  it.each(["", " ", "   ", "\u00a0"])("files: a cell of %j is absent", (blank) => {
    const columns = [
      "item_id:token",
      "title:token",
      "category:token",
      "price:float",
      "currency:token",
      "discount:float",
      "rating:float",
      "lat:float",
      "lon:float",
      "size:float",
      "color:token",
    ];
    const { dataset, absent, refused } = readProducts([
      columns.join("\t"),
      `p1${`\t${blank}`.repeat(columns.length - 1)}`,
    ]);
    expect([absent, refused]).toEqual([[], []]);
    expect(dataset.items.get("p1")).toEqual({
      id: "p1",
      title: "unknown p1",
      category: "unknown",
      price: null,
      currency: null,
      discount: 0,
      rating: null,
      lat: null,
      lon: null,
      attributes: {},
    });
  });

  it.each([
    "nan",
    "NaN",
    "None",
    "null",
    "inf",
    "-inf",
    "$12.99",
    "12,99",
    "—",
    "0x10",
    "1e999",
    "1_000",
    "12.99 EUR",
    "-5",
  ])(
    "files: the price %j is absent and reported with file, line, column and value; the row is kept",
    (bad) => {
      const { dataset, absent, refused } = readProducts([
        "item_id:token\ttitle:token\tprice:float\tlat:float\tlon:float",
        "p0\tA\t1\t1\t1",
        `p1\tB\t${bad}\t48.8\t2.3`,
      ]);
      expect(refused).toEqual([]);
      expect(absent).toMatchObject([{ file: "x.item", line: 3, column: "price", value: bad }]);
      expect(dataset.items.get("p1")).toMatchObject({ title: "B", price: null, lat: 48.8, lon: 2.3 });
    },
  );

  it("files: each kind of value is checked by itself", () => {
    const { dataset, absent } = readProducts([
      "item_id:token\ttitle:token\tcurrency:token\tdiscount:float\trating:float\tlat:float\tlon:float\tsize:float\tvector:float_seq\tavailable:token",
      "p1\tOne\teuro\t20\t11\t95\t10\tbig\t1 2 x\tperhaps",
      "p2\tTwo\tEUR\t0.2\t9\t59.9\t10.7\t4\t1 2.5 -3e2\t0",
      "p3\tThree\t\t\t\t59.9\t\t\t\t",
    ]);
    expect(dataset.items.get("p1")).toMatchObject({
      title: "One",
      currency: null,
      discount: 0,
      rating: null,
      lat: null,
      lon: null,
      attributes: {},
    });
    expect(dataset.items.get("p2")).toMatchObject({
      currency: "EUR",
      discount: 0.2,
      rating: 9,
      lat: 59.9,
      lon: 10.7,
      available: false,
      attributes: { size: 4, vector: "1 2.5 -3e2" },
    });
    expect(absent.map(({ line, column }) => [line, column])).toEqual(
      expect.arrayContaining([
        [2, "currency"],
        [2, "discount"],
        [2, "rating"],
        [2, "lat"],
        [2, "size"],
        [2, "vector"],
        [2, "available"],
        [4, "lat"],
      ]),
    );
    expect(absent).toHaveLength(8);
  });

  it("L3: a price with more digits than its currency has is absent and reported, and the group is read", () => {
    const { dataset, absent } = readProducts([
      "item_id:token\tprice:float\tcurrency:token\titem_group_id:token",
      "p1\t19.95\tEUR\tshirt-7",
      "p2\t19.955\tEUR\t",
      "p3\t24999001\tVND\t.",
    ]);
    const found = [...dataset.items.values()].map(({ price, groupId }) => [price, groupId]);
    expect(found).toEqual([
      [19.95, "shirt-7"],
      [null, undefined],
      [24_999_001, undefined],
    ]);
    expect(absent).toMatchObject([
      { line: 3, column: "price", reason: expect.stringContaining("at most 2 digits") },
      { line: 4, column: "item_group_id" },
    ]);
  });

  it("files: the place (0, 0) stands for a missing one, of products and events", () => {
    const { dataset, events, absent } = read([
      { name: "x.item", text: "item_id:token\tlat:float\tlon:float\np\t0\t0.0" },
      inter([
        "user_id:token\titem_id:token\ttimestamp:float\tlat:float\tlon:float",
        "u\tp\t1780000000\t0\t0",
        "u\tp\t1780000060\t0\t9.5",
      ]),
    ]);
    expect(dataset.items.get("p")).toMatchObject({ lat: null, lon: null });
    expect(events.map(({ lat, lon }) => [lat, lon])).toEqual([
      [null, null],
      [0, 9.5],
    ]);
    expect(absent).toMatchObject([
      { file: "x.item", line: 2, value: "0, 0.0" },
      { file: "shop.inter", line: 2, value: "0, 0" },
    ]);
  });

  it("files: a bad place of an event is absent, and the event is kept", () => {
    const { events, absent } = read([
      inter([
        "user_id:token\titem_id:token\ttimestamp:float\tlat:float\tlon:float",
        "u\tp\t1780000000\tnan\t2.3",
      ]),
    ]);
    expect(events).toMatchObject([{ lat: null, lon: null }]);
    expect(absent).toMatchObject([{ line: 2, column: "lat", value: "nan" }]);
  });

  it("files: refuses a row without user or product, or with an unknown type, with the reason", () => {
    const { refused, events } = read([
      inter([
        "user_id:token\titem_id:token\tevent_type:token\ttimestamp:float",
        "\tp\tview\t1780000000",
        "u\t \tview\t1780000000",
        "u\tp\tteleport\t1780000000",
        "u\tp\tAdd_To_Cart\t1780000000",
        "u\tp\t\t1780000000",
      ]),
    ]);
    expect(refused.map(({ line, reason }) => [line, reason])).toEqual([
      [2, "user_id is empty"],
      [3, "item_id is empty"],
      [4, 'event_type must be one of view, click, cart, purchase, dismiss; got "teleport"'],
    ]);
    expect(events.map(({ type }) => type)).toEqual(["cart", "purchase"]);
  });
});
