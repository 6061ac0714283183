import { describe, expect, it } from "vitest";
import { inter, read } from "./testing.ts";

describe("files: columns", () => {
  it("files/yelp: reads the columns of RecSysDatasets' Yelp", () => {
    const { dataset, report, events } = read(
      [
        {
          name: "yelp.item",
          text: "business_id:token\titem_name:token_seq\tcity:token_seq\tpostal_code:token\tlatitude:float\tlongitude:float\titem_stars:float\tcategories:token_seq\nb0\tTaco 0\tPhoenix\t01234\t33.40\t-112.00\t4.5\tRestaurants, Mexican",
        },
        {
          name: "yelp.inter",
          text: "review_id:token\tuser_id:token\tbusiness_id:token\tstars:float\tdate:float\nr0\tu0\tb0\t1\t1780000000\nr1\tu0\tb0\t4\t1780000060",
        },
      ],
      { minRating: 3 },
    );
    expect(dataset.items.get("b0")).toMatchObject({
      title: "Taco 0",
      category: "Restaurants",
      rating: 4.5,
      lat: 33.4,
      lon: -112,
      attributes: { city: "Phoenix", postal_code: "01234", categories: "Restaurants, Mexican" },
    });
    expect(events).toMatchObject([{ itemId: "b0", time: 1_780_000_060 }]);
    expect(report.belowMinRating).toBe(1);
    expect(report.guessed.join()).toContain("business_id as item_id");
  });

  it("files/gowalla: gives products the places of their events, where no product has a place", () => {
    const text = [
      "user_id:token\titem_id:token\ttimestamp:float\tlatitude:float\tlongitude:float\tnum_repeat:float",
      "0\ta\t1780000000\t30.20\t-97.70\t1",
      "1\ta\t1780000060\t30.20\t-97.70\t1",
      "0\tb\t1780000000\t30.20\t-97.70\t1",
      "1\tb\t1780000060\t50\t7\t1",
    ].join("\n");
    const { dataset, report } = read([{ name: "gowalla.inter", text }]);
    expect(dataset.items.get("a")).toMatchObject({ lat: 30.2, lon: -97.7 });
    expect(dataset.items.get("b")).toMatchObject({ lat: null, lon: null });
    expect(report.guessed).toContain("products placed where their events are: 1");
    // A map says that the columns are the user's place.
    const mapped = read([{ name: "gowalla.inter", text }], {
      map: new Map([
        ["latitude", "lat"],
        ["longitude", "lon"],
      ]),
    });
    expect(mapped.dataset.items.get("a")).toMatchObject({ lat: null });
    expect(mapped.events[0]).toMatchObject({ lat: 30.2 });
  });

  it.each([
    [
      "Foursquare",
      "venue_id:token\tvenue_category_id:token\tvenue_category_name:token\tlatitude:float\tlongitude:float",
      "v1\tx\tBar\t40.7\t-74.0",
      "user_id:token\tvenue_id:token\ttimezone_offset:float\ttimestamp:float",
      "u\tv1\t-240\t1780000000",
    ],
    [
      "Steam",
      "app_name:token\tgenres:token_seq\tid:token\tprice:float\ttitle:token",
      "A\tBar, Indie\tv1\t9.99\tBar",
      "user_id:token\tplay_hours:float\tproduct_id:token\ttimestamp:float",
      "u\t3\tv1\t1780000000",
    ],
    [
      "Retailrocket",
      "item_timestamp:float\titem_id:token\tclass:token_seq",
      "1\tv1\tBar Indie",
      "timestamp:float\tvisitor_id:token\titem_id:token",
      "1780000000\tu\tv1",
    ],
    [
      "Ta-Feng",
      "product_id:token\tcategory:token",
      "v1\tBar",
      "transaction_date:float\tcustomer_id:token\tproduct_id:token\tamount:float",
      "1780000000\tu\tv1\t3",
    ],
    [
      "Last.fm",
      "artist_id:token\tname:token\tclass:token",
      "v1\tA\tBar",
      "user_id:token\tartist_id:token\tdate:token",
      "u\tv1\t2026-05-28T20:26:40Z",
    ],
    [
      "Cosmetics",
      "item_id:token\tcate_id:token\tprice:float",
      "v1\tBar\t5.0",
      "user_id:token\titem_id:token\tevent:token\tsess_id:token\ttimestamp:float",
      "u\tv1\tpurchase\ts\t1780000000",
    ],
  ])(
    "files/yelp: reads the columns of RecSysDatasets' %s",
    (_, itemHeader, itemRow, interHeader, interRow) => {
      const { dataset, events } = read([
        { name: "x.item", text: `${itemHeader}\n${itemRow}` },
        { name: "x.inter", text: `${interHeader}\n${interRow}` },
      ]);
      expect(dataset.items.get("v1")?.category).toBe("Bar");
      expect(events).toEqual([
        { userId: "u", itemId: "v1", type: "purchase", time: 1_780_000_000, lat: null, lon: null },
      ]);
    },
  );

  it("files/yelp: maps other columns by --map, and names a map that fits nothing", () => {
    const file = { name: "x.inter", text: "kunde\tartikel\tzeit\nu\tp\t1780000000" };
    expect(() => read([file])).toThrow(
      /x\.inter: line 1: no column is user_id.*kunde, artikel, zeit.*--map COLUMN=user_id/,
    );
    const map = (entries: [string, string][]) => ({ map: new Map(entries) });
    expect(
      read(
        [file],
        map([
          ["kunde", "user_id"],
          ["artikel", "item_id"],
          ["zeit", "timestamp"],
        ]),
      ).events,
    ).toMatchObject([{ userId: "u", itemId: "p", time: 1_780_000_000 }]);
    expect(() => read([file], map([["kunde", "buyer"]]))).toThrow("there is no field buyer");
    expect(() =>
      read(
        [file],
        map([
          ["kunde", "user_id"],
          ["artikel", "item_id"],
          ["nowhere", "timestamp"],
        ]),
      ),
    ).toThrow("no file has a column nowhere");
  });

  it("files: counts rows without a type as the given type, and leaves out low ratings but no dismissal", () => {
    const ratings = ["1", "2.5", "3", "5", "nan", ""].map(
      (rating, i) => `u\tp\t${1_780_000_000 + i}\t${rating}`,
    );
    const { events, report, absent } = read(
      [inter(["user_id:token\titem_id:token\ttimestamp:float\trating:float", ...ratings])],
      { eventType: "view", minRating: 3 },
    );
    expect(events.map(({ time }) => time - 1_780_000_000)).toEqual([2, 3, 4, 5]);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["view"]));
    expect(report.belowMinRating).toBe(2);
    expect(absent).toMatchObject([{ column: "rating", value: "nan" }]);
    expect(() => read([inter(["user_id\titem_id\trating", "u\tp\t1"])], { minRating: 2 })).toThrow(
      "below the minimum",
    );
  });

  it("files: says that a rating is not used, and that a later row of a product replaced an earlier one", () => {
    const { report, dataset } = read([
      { name: "x.item", text: "item_id:token\ttitle:token\np\tOld\np\tNew" },
      inter(["user_id:token\titem_id:token\ttimestamp:float\trating:float", "u\tp\t1780000000\t1"]),
    ]);
    expect(report.notes.join()).toContain("--rating-min");
    expect(report.changed.join()).toContain("the last row counts (1 row)");
    expect(dataset.items.get("p")?.title).toBe("New");
  });

  it("files: names a column whose type RecBole does not have", () => {
    expect(() => read([inter(["user_id:token\titem_id:token\tprice:decimal", "u\tp\t1"])])).toThrow(
      'column price has the type "decimal"; the types are token, token_seq, float, float_seq',
    );
  });
});
