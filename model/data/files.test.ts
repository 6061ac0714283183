import { describe, expect, it } from "vitest";
import { allEvents } from "./dataset.ts";
import { type ReadOptions, readFiles } from "./read-files.ts";
import type { AbsentValue, RefusedRow } from "./read-report.ts";
import type { SourceFile } from "./table-file.ts";

const now = Date.parse("2026-11-30T12:00:00Z") / 1000;
const header = "user_id:token\titem_id:token\ttimestamp:float";
/** Rows of an event file without its header. */
const rows = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `u${i % 3}\tc${i % 5}\t${from + i * 60}`);
const inter = (lines: readonly string[], name = "shop.inter"): SourceFile => ({
  name,
  text: lines.join("\n"),
});

/** Reads files with all findings. */
function read(files: readonly SourceFile[], options: ReadOptions = {}) {
  const refused: RefusedRow[] = [];
  const absent: AbsentValue[] = [];
  const found = readFiles(files, {
    now,
    onRefused: (row) => refused.push(row),
    onAbsent: (value) => absent.push(value),
    ...options,
  });
  return { ...found, events: allEvents(found.dataset), refused, absent };
}

/** Encodes a text in UTF-16, with or without a byte order mark. */
function utf16(text: string, bigEndian: boolean, mark: boolean): Uint8Array {
  const units = [...(mark ? `\uFEFF${text}` : text)].flatMap((each) =>
    Array.from({ length: each.length }, (_, i) => each.charCodeAt(i)),
  );
  return new Uint8Array(
    units.flatMap((unit) => (bigEndian ? [unit >> 8, unit & 255] : [unit & 255, unit >> 8])),
  );
}

/** A file whose bytes come in chunks of `size`, so that characters and lines are cut. */
const inChunks = (name: string, bytes: Uint8Array, size: number): SourceFile => ({
  name,
  *chunks() {
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  },
});

describe("files: parts", () => {
  it("files/parts: reads part1, part2 and part3 as RecBole's benchmark_filename, and counts equal rows of all", () => {
    const parts = [30, 20, 10].map((count, i) =>
      inter([header, ...rows(1_780_000_000, count)], `shop.part${i + 1}.inter`),
    );
    const { dataset, report } = read(parts);
    expect([dataset.train.length, dataset.valid.length, dataset.test.length]).toEqual([30, 20, 10]);
    expect(dataset.name).toBe("shop");
    expect(report.rows).toBe(60);
    expect(report.guessed.join()).toContain("benchmark_filename");
  });

  it("files: says which files of a folder are not read", () => {
    const others = ["x.user", "x.kg", "orders.json", "README.md", "x.inter.refused.tsv", ".DS_Store"];
    const { report } = read([
      inter([header, ...rows(1_780_000_000, 3)], "x.inter"),
      ...others.map((name) => ({ name, text: "" })),
      { name: "raw.csv", text: "a,b" },
    ]);
    expect(report.notes).toEqual([
      "files not read, since only .inter, .item, .csv and .tsv are: x.user, x.kg, orders.json",
      "orders.json: JSON lines go to the API as they are, to POST /v1/products/bulk and POST /v1/events/bulk",
      "raw.csv: not read, since the folder has .inter files",
    ]);
  });

  it("files/parts: reads any number of parts, the tenth after the second", () => {
    const parts = Array.from({ length: 11 }, (_, i) =>
      inter(["user_id:token\titem_id:token", `u\tp${i + 1}`], `shop.part${i + 1}.inter`),
    ).reverse();
    expect(read(parts).events.map(({ itemId }) => itemId)).toEqual(
      Array.from({ length: 11 }, (_, i) => `p${i + 1}`),
    );
  });

  it("files: reads exports of several names in one folder; a row that two of them hold counts once", () => {
    const [first, second] = [rows(1_780_000_000, 10), rows(1_780_000_300, 10)];
    const { events, report } = read([
      inter([header, ...first, first[0]], "monday.inter"),
      inter([header, ...second], "sunday.inter"),
    ]);
    const distinct = new Set([...first, ...second]);
    expect(events).toHaveLength(distinct.size + 1);
    expect(report.repeated).toBe(first.length + second.length - distinct.size);
  });
});

describe("files: form", () => {
  const lines = [
    "user_id,item_id,event_type,timestamp,note",
    'u1,p1,view,1780000000,"a, ""b""\nc"',
    "u2,p2,cart,1780000060,",
  ];

  it.each([",", ";", "|", "\t"])(
    "files/csv: detects the separator %j, and reads quotes by RFC 4180",
    (separator) => {
      const text = lines.join("\n").replaceAll(/,(?! )/g, separator);
      const { events, report } = read([{ name: "shop.csv", text }]);
      expect(events).toEqual([
        { userId: "u1", itemId: "p1", type: "view", time: 1_780_000_000, lat: null, lon: null },
        { userId: "u2", itemId: "p2", type: "cart", time: 1_780_000_060, lat: null, lon: null },
      ]);
      expect(report.files[0]).toMatchObject({ separator, rows: 2, unread: ["note"] });
    },
  );

  it("files/csv: tells CSV files of products and events apart by their headers", () => {
    const { dataset, events } = read([
      { name: "articles.csv", text: 'Product ID,Name,Price\np1,"12"" pan, iron",19.95' },
      { name: "orders.csv", text: "Customer ID,Product ID,Order Date\nu1,p1,2026-05-28T20:26:40+02:00" },
    ]);
    expect(dataset.items.get("p1")).toMatchObject({ title: '12" pan, iron', price: 19.95 });
    expect(events).toMatchObject([{ userId: "u1", itemId: "p1", time: 1_779_992_800 }]);
  });

  it("files/csv: refuses a row with an open quote by its line, and reads the rows after it", () => {
    const { dataset, refused } = read(
      [{ name: "articles.csv", text: 'id,title\np1,One\np2,"Two\np3,Three\np4,"Fo""ur"' }],
      { needsEvents: false },
    );
    expect([...dataset.items.keys()]).toEqual(["p1", "p3", "p4"]);
    expect(refused).toMatchObject([{ line: 3, raw: 'p2,"Two', reason: "a quote is opened and not closed" }]);
  });

  it("files: refuses a row with more cells than the header, and adds no product without data for it", () => {
    const { dataset, refused, report } = read([
      { name: "articles.csv", text: "id,title\np1,Salt, fine\np2,Pepper" },
      { name: "orders.csv", text: "user_id,item_id,timestamp\nu1,p1,1780000000\nu1,p2,1780000000" },
    ]);
    expect(refused).toMatchObject([
      { file: "articles.csv", line: 2, reason: "has 3 cells; the header has 2" },
    ]);
    expect(report.refusedProducts).toEqual(new Set(["p1"]));
    expect(dataset.items.get("p2")?.title).toBe("Pepper");
  });

  it.each([
    ["UTF-16LE with a mark", false, true],
    ["UTF-16BE with a mark", true, true],
    ["UTF-16LE without a mark", false, false],
    ["UTF-16BE without a mark", true, false],
  ])("files/utf16: reads %s, cut anywhere", (_, bigEndian, mark) => {
    const text = "item_id:token\ttitle:token\nc1\tCafé 😀\r\nc2\t東京\n";
    for (const size of [1, 3, 7, 1000]) {
      const { dataset, report } = read([inChunks("x.item", utf16(text, bigEndian, mark), size)], {
        needsEvents: false,
      });
      expect([...dataset.items.values()].map(({ title }) => title)).toEqual(["Café 😀", "東京"]);
      expect(report.guessed[0]).toContain(bigEndian ? "UTF-16BE" : "UTF-16LE");
    }
  });

  it.each(["\n", "\r\n", "\r"])("files: reads lines that end with %j, cut anywhere", (end) => {
    const bytes = new TextEncoder().encode(
      ["\uFEFFitem_id:token\ttitle:token", "c1\tÉté", "c2\tÎle", ""].join(end),
    );
    for (const size of [1, 2, 5, 1000]) {
      const { dataset } = read([inChunks("x.item", bytes, size)], { needsEvents: false });
      expect([...dataset.items.values()].map(({ title }) => title)).toEqual(["Été", "Île"]);
    }
  });

  it("files: never replaces bytes that are not UTF-8: the value is absent, or the row is refused, by line", () => {
    const latin1 = new Uint8Array(
      [..."item_id:token\ttitle:token\nc1\tCafé\nc2\tThé ok\nç3\tSalt\nc4\t東京".slice(0)].flatMap((each) => {
        const code = each.codePointAt(0) ?? 0;
        return code < 256 ? [code] : [...new TextEncoder().encode(each)];
      }),
    );
    for (const size of [1, 4, 1000]) {
      const { dataset, absent, refused } = read([inChunks("x.item", latin1, size)], { needsEvents: false });
      expect(absent).toMatchObject([
        { line: 2, column: "title", value: "Caf\\xE9" },
        { line: 3, column: "title", value: "Th\\xE9 ok" },
      ]);
      expect(refused).toMatchObject([{ line: 4, raw: "\\xE73\tSalt" }]);
      expect(dataset.items.get("c4")?.title).toBe("東京");
      expect(JSON.stringify([...dataset.items])).not.toContain("\uFFFD");
    }
  });

  it.each([
    [[0x1f, 0x8b, 8, 0], "gzip"],
    [[0x50, 0x4b, 3, 4], "Excel"],
    [[0x50, 0x41, 0x52, 0x31], "Parquet"],
  ])("files: says what a file is that is no text", (bytes, name) => {
    expect(() => read([inChunks("x.inter", new Uint8Array(bytes), 10)])).toThrow(name);
  });

  it("files/pdindex: ignores the index column of pandas, with a note", () => {
    for (const first of ["", "Unnamed: 0"]) {
      const { dataset, report } = read([
        { name: "x.item", text: `${first}\titem_id:token\ttitle:token\n0\tc0\tCafe 0\n1\tc1\tCafe 1` },
        {
          name: "x.inter",
          text: `${first}\tuser_id:token\titem_id:token\ttimestamp:float\n0\tu\tc0\t1780000000`,
        },
      ]);
      expect(dataset.items.get("c1")).toMatchObject({ title: "Cafe 1", attributes: {} });
      expect(report.notes.filter((note) => note.includes("index of rows"))).toHaveLength(2);
    }
  });
});

describe("files: times", () => {
  it.each([
    ["1780000000", 1_780_000_000, null],
    ["1780000000.5", 1_780_000_000.5, null],
    ["1.78e9", 1_780_000_000, null],
    ["1780000000000", 1_780_000_000, "milliseconds"],
    ["1780000000000000", 1_780_000_000, "microseconds"],
    ["1780000000000000000", 1_780_000_000, "nanoseconds"],
    ["2026-05-28T20:26:40Z", 1_780_000_000, null],
    ["2026-05-28T22:26:40+02:00", 1_780_000_000, null],
    ["2026-05-28 20:26:40 UTC", 1_780_000_000, null],
    ["2026-05-28 20:26:40", 1_780_000_000, "no time zone"],
    ["2026-05-28", 1_779_926_400, "no time zone"],
  ])("files/ms: reads the time %s, and says what it assumed", (text, time, said) => {
    const { events, report } = read([inter([header, `u\tp\t${text}`])]);
    expect(events[0].time).toBe(time);
    expect(report.guessed.some((each) => said !== null && each.includes(said))).toBe(said !== null);
  });

  it.each([
    "",
    " ",
    "nan",
    "soon",
    "31/01/2026",
    "2026-02-30",
    "-1",
    "0x6A000000",
    "2100-01-01",
    "4102444800",
    "4102444800000",
  ])(
    "files/outlier, files/notime: refuses the row with the time %j by its line, and moves no other",
    (text) => {
      const good = rows(1_780_000_000, 20);
      const { events, refused } = read([inter([header, ...good, `u9\tc1\t${text}`])]);
      expect(refused).toMatchObject([{ file: "shop.inter", line: 22 }]);
      expect(Math.max(...events.map(({ time }) => time))).toBe(1_780_000_000 + 19 * 60);
      expect(events).toHaveLength(20);
    },
  );

  it("files/notime: refuses a time of 0 beside real times, and keeps a dataset whose times begin at 0", () => {
    const mixed = read([inter([header, "u\tp\t0", ...rows(1_780_000_000, 3)])]);
    expect(mixed.refused).toMatchObject([{ line: 2, reason: expect.stringContaining("missing time") }]);
    expect(read([inter([header, ...rows(0, 3)])]).events).toHaveLength(3);
  });

  it("files/notime: a file without a column of times has rows in file order, and says so", () => {
    const { events, report } = read([inter(["user_id:token\titem_id:token", "u\ta", "u\tb"])]);
    expect(events.map(({ itemId }) => itemId)).toEqual(["a", "b"]);
    expect(report.timed).toBe(false);
    expect(report.guessed.join()).toContain("no column of times");
  });

  it("files: says the first reason if no row is accepted", () => {
    expect(() => read([inter([header, "u\tp\t", "u\tp\tsoon"])])).toThrow(
      "no row of events was accepted. The first was shop.inter, line 2: timestamp is empty",
    );
    expect(() =>
      read([inter([header, "u\tp\t1"]), { name: "x.item", text: "item_id:token\ttitle:token\n\tA\n\tB" }]),
    ).toThrow("no row of products was accepted");
  });
});

describe("files: values", () => {
  it("files: text stays text: `1e5`, `0x10`, twenty digits, spaces inside", () => {
    const texts = ["1e5", "0x10", "12345678901234567890", "007", "1.50", "true", "a  b", "NaN"];
    for (const type of [":token", ":token_seq", ""]) {
      const lines = [
        `item_id:token\tcode${type}\ttitle:token`,
        ...texts.map((text) => `${text.replaceAll(" ", "")}\t${text}\t${text}`),
      ];
      const { dataset } = read([{ name: "x.item", text: lines.join("\n") }], { needsEvents: false });
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
    const { dataset, absent, refused } = read(
      [{ name: "x.item", text: `${columns.join("\t")}\np1${`\t${blank}`.repeat(columns.length - 1)}` }],
      { needsEvents: false },
    );
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
      const { dataset, absent, refused } = read(
        [
          {
            name: "x.item",
            text: `item_id:token\ttitle:token\tprice:float\tlat:float\tlon:float\np0\tA\t1\t1\t1\np1\tB\t${bad}\t48.8\t2.3`,
          },
        ],
        { needsEvents: false },
      );
      expect(refused).toEqual([]);
      expect(absent).toMatchObject([{ file: "x.item", line: 3, column: "price", value: bad }]);
      expect(dataset.items.get("p1")).toMatchObject({ title: "B", price: null, lat: 48.8, lon: 2.3 });
    },
  );

  it("files: each kind of value is checked by itself", () => {
    const { dataset, absent } = read(
      [
        {
          name: "x.item",
          text: [
            "item_id:token\ttitle:token\tcurrency:token\tdiscount:float\trating:float\tlat:float\tlon:float\tsize:float\tvector:float_seq\tavailable:token",
            "p1\tOne\teuro\t20\t11\t95\t10\tbig\t1 2 x\tperhaps",
            "p2\tTwo\tEUR\t0.2\t9\t59.9\t10.7\t4\t1 2.5 -3e2\t0",
            "p3\tThree\t\t\t\t59.9\t\t\t\t",
          ].join("\n"),
        },
      ],
      { needsEvents: false },
    );
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
    const { dataset, absent } = read(
      [
        {
          name: "x.item",
          text: [
            "item_id:token\tprice:float\tcurrency:token\titem_group_id:token",
            "p1\t19.95\tEUR\tshirt-7",
            "p2\t19.955\tEUR\t",
            "p3\t24999001\tVND\t.",
          ].join("\n"),
        },
      ],
      { needsEvents: false },
    );
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
