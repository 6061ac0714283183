import { describe, expect, it } from "vitest";
import { header, inChunks, inter, read, rows, utf16 } from "./testing.ts";

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
