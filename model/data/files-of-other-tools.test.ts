import { describe, expect, it } from "vitest";
import { allEvents } from "./dataset.ts";
import { type ReadOptions, readFiles } from "./read-files.ts";
import type { AbsentValue, RefusedRow } from "./read-report.ts";

const now = Date.parse("2026-11-30T12:00:00Z") / 1000;

/** Reads files, given as their texts by name, with all findings. */
function read(texts: Record<string, string>, options: ReadOptions = {}) {
  const refused: RefusedRow[] = [];
  const absent: AbsentValue[] = [];
  const { dataset, report } = readFiles(
    Object.entries(texts).map(([name, text]) => ({ name, text })),
    {
      now,
      needsEvents: false,
      onRefused: (row) => refused.push(row),
      onAbsent: (value) => absent.push(value),
      ...options,
    },
  );
  return { dataset, report, events: allEvents(dataset), items: [...dataset.items.values()], refused, absent };
}

const map = (...pairs: [string, string][]): ReadOptions => ({ map: new Map(pairs) });

describe("files: the form of a table", () => {
  it("files/csv: reads the separator from the line `sep=;` of Excel, and keeps the numbers of lines", () => {
    const { items, refused } = read({ "p.csv": "sep=;\r\nid;title\r\n1;Cup, white\r\n;Pan\r\n" });
    expect(items).toMatchObject([{ id: "1", title: "Cup, white" }]);
    expect(refused).toMatchObject([{ line: 4, reason: "id is empty" }]);
  });

  it("files/csv: skips blank lines in front of the header", () => {
    const { events, refused } = read({ "o.csv": "\n\nuser,item,time\nu,p,1780000000\nu,p,soon\n" });
    expect(events).toHaveLength(1);
    expect(refused).toMatchObject([{ line: 5 }]);
  });

  it("files/csv: refuses a row with text after a closing quote, with that reason", () => {
    const { items, refused } = read({ "p.csv": 'id,title\n1,"A" x\n2,"B"\n' });
    expect(items).toMatchObject([{ id: "2", title: "B" }]);
    expect(refused).toMatchObject([{ line: 2, reason: "text follows a closing quote" }]);
  });

  it("files: does not read a column that has the name of an earlier one, and says so", () => {
    const { items, report } = read({ "p.csv": "id,title,size,title,size\n1,A,S,B,M\n" });
    expect(items).toMatchObject([{ title: "A", attributes: { size: "S" } }]);
    expect(report.notes).toContain("p.csv: column 4 has the name title again and is not read");
    expect(report.notes).toContain("p.csv: column 5 has the name size again and is not read");
  });
});

describe("files: what cannot be read is named", () => {
  it.each([
    ["p.jsonl", '{"id":"1"}', "p.jsonl (JSON lines go to the API as they are, to POST /v1/products/bulk"],
    ["p.csv.gz", "x", "p.csv.gz (unpack it first)"],
    ["p.xlsx", "x", "p.xlsx (save it as CSV)"],
    ["p.parquet", "x", "p.parquet (convert it to CSV)"],
    ["p.txt", "id,title\n", "p.txt (name it .csv, .tsv, .inter or .item"],
    ["p.doc", "x", "p.doc (not .inter, .item, .csv or .tsv)"],
    [
      "p.csv",
      "foo,bar\n1,2\n",
      "p.csv (no column names a product, of foo, bar; --map COLUMN=item_id names one)",
    ],
    ["p.csv", "", "p.csv (the file is empty)"],
  ])("files: %s alone is found, and not read", (name, text, found) => {
    expect(() => read({ [name]: text })).toThrow(`there is no file of events or products. Found: ${found}`);
  });

  it.each([
    ["o.csv", '{"userId":"u","productId":"p"}\n', "o.csv: the file is JSON: JSON lines go to the API"],
    ["o.inter", "\0\0\0\0\0\0", "o.inter: the file is no text"],
    ["o.inter", "user_id:token\titem_id:token\n", "there is no row below the header of o.inter"],
    ["p.csv", "id,title\n", "there is no row below the header of p.csv"],
    ["o.inter", "", "o.inter: the file is empty"],
  ])("files: says why %s with the text %j cannot be read", (name, text, reason) => {
    expect(() => read({ [name]: text })).toThrow(reason);
  });

  it("files: an empty folder, and a file of products beside an export of events without rows", () => {
    expect(() => read({})).toThrow("there is no file of events or products; the folder has no file of data");
    expect(read({ "p.csv": "id,title\n1,A\n", "o.csv": "user,item,time\n" }).items).toHaveLength(1);
  });

  it("files: names a --map that is reversed, and two for one field of a file", () => {
    const file = { "p.csv": "artnr,sku,title\n1,2,A\n" };
    expect(() => read(file, map(["item_id", "artnr"]))).toThrow("Is --map artnr=item_id meant?");
    expect(() => read(file, map(["artnr", "item_id"], ["sku", "item_id"]))).toThrow(
      "--map sku=item_id: p.csv has item_id already, by --map artnr=item_id.",
    );
    // Two files may have different names for one field.
    const orders = { "o.csv": "user,article,time\nu,1,1780000000\n" };
    expect(
      read({ ...orders, "p.csv": "artnr,title\n1,A\n" }, map(["article", "item_id"], ["artnr", "item_id"]))
        .items,
    ).toMatchObject([{ id: "1", title: "A" }]);
  });
});

describe("files/notime: one file with times, and one without", () => {
  it("files/notime: are not imported together", () => {
    const files = { "a.csv": "user,item,time\nu,p,1780000000\n", "b.csv": "user,item\nu,q\n" };
    expect(() => read(files)).toThrow("b.csv has no column of times, and a.csv has one");
  });
});

describe("files: columns of other tools", () => {
  it.each([
    ["visitorid", "itemid"],
    ["USERID", "PRODUCTID"],
    ["userId", "movieId"],
    ["User ID", "Variant SKU"],
    ["user_id", "albums_id"],
    ["user.id", "tracks_id"],
  ])("files/csv: reads %s and %s as user and product", (user, product) => {
    const { events } = read({ "o.csv": `${user},${product},timestamp\nu,p,1780000000\n` });
    expect(events).toMatchObject([{ userId: "u", itemId: "p" }]);
  });

  it("files/yelp: reads albums with the id of their artist, and the kinds of MovieLens 10M", () => {
    const albums = "albums_id:token\tname:token_seq\tartists_id:token\na1\tBlue\tx\n";
    expect(read({ "x.item": albums }).items).toMatchObject([
      { id: "a1", title: "Blue", attributes: { artists_id: "x" } },
    ]);
    const movies = "item_id:token\tmovie_name:token_seq\ttype:token_seq\n1\tToy\tAdventure Animation\n";
    expect(read({ "x.item": movies }).items).toMatchObject([
      { category: "Adventure", attributes: { type: "Adventure Animation" } },
    ]);
    const series = "item_id:token\tname:token\tgenre:token_seq\ttype:token\n1\tN\tComedy, Drama\tTV\n";
    expect(read({ "x.item": series }).items).toMatchObject([
      { category: "Comedy", attributes: { type: "TV" } },
    ]);
  });

  it.each([
    ["['Arts, Crafts & Sewing', 'Yarn']", ["Arts, Crafts & Sewing", "Yarn"]],
    ["[['Electronics', 'GPS']]", ["Electronics", "GPS"]],
    ["[['Electronics', 'GPS'], ['Gifts']]", ["Electronics", "GPS", "Gifts"]],
    ['"Toys", "Puzzles"', ["Toys", "Puzzles"]],
    ["Restaurants, Mexican", ["Restaurants", "Mexican"]],
    ["Drinks > Coffee | Gifts", ["Drinks > Coffee", "Gifts"]],
    ["Bar, , Bar", ["Bar"]],
    ["L'Oréal, Care", ["L'Oréal", "Care"]],
  ])("files/yelp: the categories of %s", (text, categories) => {
    const { items } = read({ "x.item": `item_id:token\tcategories:token_seq\n1\t${text}\n` });
    expect(items[0].category).toBe(categories[0]);
    expect(items[0].details?.categories).toEqual(categories.length > 1 ? categories : undefined);
  });

  it("files/gowalla: describes products by the columns of their events, where they have no row of their own", () => {
    const header =
      "user_id:token\tvenue_id:token\tvenue_category_id:token\tvenue_category_name:token\ttimestamp:float";
    const inter = `${header}\nu\tv1\tc7\tArts & Crafts Store\t1780000000\nu\tv2\tc8\tBar\t1780000060\n`;
    const { items, report } = read({
      "f.inter": inter,
      "f.item": "venue_id:token\tname:token\nv2\tThe Owl\n",
    });
    expect(items).toMatchObject([
      { id: "v2", title: "The Owl", category: "unknown" },
      { id: "v1", title: "Arts & Crafts Store v1", category: "Arts & Crafts Store" },
    ]);
    expect(report.derivedProducts).toEqual(new Set(["v1"]));
    expect(report.guessed).toContain("products described by their events, by title or category: 1");
    const orders = read({ "o.csv": "user,sku,product_name,category,time\nu,1,Cup,Kitchen,1780000000\n" });
    expect(orders.items).toMatchObject([{ id: "1", title: "Cup", category: "Kitchen" }]);
  });

  it("files: a label of clicks is 0 for a product that was shown only, which is no event", () => {
    const text =
      "user_id:token\titem_id:token\tlabel:float\ttimestamp:float\nu\ta\t1\t1780000000\nu\tb\t0\t1780000000\n";
    const { events, report } = read({ "mind.inter": text });
    expect(events).toMatchObject([{ itemId: "a" }]);
    expect(report.belowMinRating).toBe(1);
    expect(report.guessed.join()).toContain("rows whose label is below 1 are no events");
  });
});

describe("files: values of other tools", () => {
  it.each([
    ["TRUE", true],
    ["Y", true],
    ["InStock", true],
    ["https://schema.org/InStock", true],
    ["available", true],
    ["F", false],
    ["N", false],
    ["out-of-stock", false],
    ["http://schema.org/OutOfStock", false],
    ["Sold out", false],
  ])("files: %s says whether a product can be bought", (text, available) => {
    const { items, absent } = read({ "p.csv": `id,title,In stock?\n1,A,${text}\n` });
    expect(items[0].available ?? true).toBe(available);
    expect(absent).toEqual([]);
  });

  it("files/csv: reads decimal commas where the user says that numbers have them", () => {
    const numbers = ["7,50", "1.234,56", "1 234,5", "39", "-5", "1,234.56", "12.5", "7,50 €", "1e3"];
    const text = `id;title;price;lat;lon\n${numbers.map((price, i) => `${i};A;${price};48,86;2,33`).join("\n")}\n`;
    const { items, absent } = read({ "p.csv": text }, { decimal: "comma" });
    expect(items.map(({ price }) => price)).toEqual([7.5, 1234.56, 1234.5, 39, null, null, null, null, null]);
    expect(items[0]).toMatchObject({ lat: 48.86, lon: 2.33 });
    expect(absent.map(({ value }) => value)).toEqual(["-5", "1,234.56", "12.5", "7,50 €", "1e3"]);
    expect(read({ "p.csv": "id;price\n1;7,50\n" }).absent).toMatchObject([
      { line: 2, column: "price", value: "7,50", reason: expect.stringContaining("--decimal comma") },
    ]);
  });

  it("files/csv: reads the price of a product feed with its currency, where the header declares no types", () => {
    const prices = ["15.00 USD", "1200 JPY", "12.345 EUR", "$5 USD", "7", "9.50 usd"];
    const text = `id\ttitle\tprice\n${prices.map((price, i) => `${i}\tA\t${price}`).join("\n")}\n`;
    const { items, absent, report } = read({ "feed.tsv": text });
    expect(items.map(({ price, currency }) => [price, currency])).toEqual([
      [15, "USD"],
      [1200, "JPY"],
      [null, null],
      [null, null],
      [7, null],
      [null, null],
    ]);
    expect(absent.map(({ value }) => value)).toEqual(["12.345 EUR", "$5 USD", "9.50 usd"]);
    expect(report.guessed).toContain("feed.tsv: price holds the currency, too (2 rows)");
    const { items: withCurrencies } = read({ "p.csv": "id,price,currency\n1,15.00 USD,USD\n" });
    expect(withCurrencies).toMatchObject([{ price: null, currency: "USD" }]);
  });

  it("files/csv: writes currencies in upper case, and says so; no sign is a currency", () => {
    const { items, absent, report } = read({ "p.csv": "id,price,currency\n1,2.5,eur\n2,2.5,€\n3,2.5,EUR\n" });
    expect(items.map(({ currency }) => currency)).toEqual(["EUR", null, "EUR"]);
    expect(absent).toMatchObject([{ line: 3, value: "€" }]);
    expect(report.changed).toEqual(["p.csv: currencies written in upper case (1 row)"]);
  });

  it("files: a discount in percent is absent, and the reason shows the share", () => {
    const { items, absent } = read({ "p.csv": "id,title,discount\n1,A,20%\n" });
    expect(items[0].discount).toBe(0);
    expect(absent).toMatchObject([
      { line: 2, column: "discount", value: "20%", reason: expect.stringContaining("0.2 for 20%") },
    ]);
  });
});

describe("files: dates of eight digits", () => {
  const orders = (...times: string[]) => ({
    "o.csv": `user,item,time\n${times.map((time, i) => `u,p${i},${time}`).join("\n")}\n`,
  });

  it("files/ms: a column of dates such as 20251231 is no column of seconds", () => {
    const { events, refused, report } = read(orders("20251231", "20260115", "20991231"));
    expect(events.map(({ time }) => new Date(time * 1000).toISOString())).toEqual([
      "2025-12-31T00:00:00.000Z",
      "2026-01-15T00:00:00.000Z",
    ]);
    expect(refused).toMatchObject([{ line: 4, reason: "has a date in the future" }]);
    expect(report).toMatchObject({ rows: 3, accepted: 2, refused: 1 });
    expect(report.guessed.join()).toContain("times such as 20260131 are dates in UTC (2 rows)");
  });

  it("files/ms: one such date beside times in seconds is refused", () => {
    const { events, refused } = read(orders("1780000000", "20251231"));
    expect(events).toHaveLength(1);
    expect(refused).toMatchObject([{ line: 3, reason: expect.stringContaining("date without dashes") }]);
  });

  it("files/ms: times of a dataset that begins at 0 stay numbers", () => {
    const { events } = read(orders("20251231", "20259999"));
    expect(events.map(({ time }) => time)).toEqual([20_251_231, 20_259_999]);
  });
});
