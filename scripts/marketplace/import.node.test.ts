import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RecordingApi } from "./testing/recording-api.ts";

const root = join(import.meta.dirname, "../..");
const scratch = mkdtempSync(join(tmpdir(), "vicinity-import-"));
const header = "user_id:token\titem_id:token\ttimestamp:float";
/** Newest time of the rows below: a week ago. */
const start = Math.floor(Date.now() / 1000) - 7 * 86_400;
const rows = (from: number, count: number, product = "c"): string[] =>
  Array.from({ length: count }, (_, i) => `u${i % 3}\t${product}${i % 5}\t${from + i * 60}`);

const api = new RecordingApi();
beforeAll(() => api.start());
beforeEach(() => api.reset());
afterAll(() => {
  api.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** Writes a dataset to a folder of its own and returns the folder. */
function writeFiles(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(scratch, "data-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** Runs `npm run import` with `--json`, and returns its exit code and its report. `onStart` receives the process. */
async function runImport(
  data: string,
  args: string[] = [],
  json = true,
  onStart: (child: ChildProcess) => void = () => undefined,
) {
  const child = spawn(
    process.execPath,
    [
      join(root, "scripts/import.ts"),
      ...["--data", data, "--url", api.url, "--key", "dev-admin-key", ...(json ? ["--json"] : []), ...args],
    ],
    { cwd: scratch, stdio: ["ignore", "pipe", "pipe"] },
  );
  onStart(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  return { code, output, report: json && output.startsWith("{") ? JSON.parse(output) : null };
}

describe("npm run import", () => {
  it("files/week1, files/week2: an export of the same name with other rows adds all its rows", async () => {
    const [week1, week2] = [0, 1].map((week) =>
      writeFiles({
        "orders.inter": [header, ...rows(start - (1 - week) * 86_400, 30, week ? "d" : "c")].join("\n"),
      }),
    );
    expect((await runImport(week1)).report.events).toMatchObject({ sent: 30, accepted: 30, knownBefore: 0 });
    expect((await runImport(week2)).report.events).toMatchObject({ sent: 30, accepted: 30, knownBefore: 0 });
    const again = await runImport(week1);
    expect(again.code).toBe(0);
    expect(again.report.events).toMatchObject({ accepted: 0, knownBefore: 30 });
    expect(api.events.size).toBe(60);
  });

  it("files/hist1, files/hist2: an overlapping export adds exactly what is new, under any name and in any order", async () => {
    const old = rows(start, 10);
    const hist1 = writeFiles({ "hist.inter": [header, ...old].join("\n") });
    const hist2 = writeFiles({
      "other-name.inter": [header, `hu\thpNEW\t${start - 60}`, ...old.toReversed()].join("\n"),
    });
    await runImport(hist1);
    expect((await runImport(hist2)).report.events).toMatchObject({ accepted: 1, knownBefore: 10 });
    const both = new Map(api.events);
    api.reset();
    await runImport(hist2);
    await runImport(hist1);
    expect(api.events).toEqual(both);
  });

  it("files: equal rows count separately, by their number in the file", async () => {
    const twice = writeFiles({ "a.inter": [header, `u\tp\t${start}`, `u\tp\t${start}`].join("\n") });
    const thrice = writeFiles({ "b.csv": `timestamp,user_id,item_id\n${`${start}000,u,p\n`.repeat(3)}` });
    expect((await runImport(twice)).report.events).toMatchObject({ accepted: 2 });
    // The same rows in milliseconds and as CSV are the same events.
    expect((await runImport(thrice)).report.events).toMatchObject({ accepted: 1, knownBefore: 2 });
  });

  it("files: times stay as they are, unless the newest event is over a year old", async () => {
    const recent = writeFiles({ "a.inter": [header, `u\tp\t${start}`].join("\n") });
    expect((await runImport(recent)).report).toMatchObject({ movedWeeks: 0 });
    expect([...api.events.values()][0].timestamp).toBe(new Date(start * 1000).toISOString());
    const old = writeFiles({ "b.inter": [header, "u\tp\t1359712800"].join("\n") });
    const moved = await runImport(old);
    expect(moved.report.movedWeeks).toBeGreaterThan(600);
    api.reset();
    expect((await runImport(old, ["--times", "keep"])).report).toMatchObject({ movedWeeks: 0 });
    expect([...api.events.values()][0].timestamp).toBe("2013-02-01T10:00:00.000Z");
  });

  it("files: reports no moved times where a folder has no events, or no times", async () => {
    const products = writeFiles({ "p.csv": "id,title\n1,A\n" });
    expect((await runImport(products)).report).toMatchObject({ result: "done", movedWeeks: 0 });
    const untimed = writeFiles({ "o.csv": "user,item\nu,p\n" });
    expect((await runImport(untimed)).report).toMatchObject({ result: "done", movedWeeks: 0 });
    const [event] = [...api.events.values()];
    expect(Date.now() - Date.parse(event?.timestamp ?? "")).toBeLessThan(8 * 86_400_000);
  });

  it("files: exits with 1 and names what was found where a folder has nothing to import", async () => {
    const data = writeFiles({ "p.jsonl": '{"id":"1"}', "o.csv.gz": "x" });
    const { code, report } = await runImport(data);
    expect(code).toBe(1);
    expect(report.reason).toMatch(
      /Found: .*o\.csv\.gz \(unpack it first\).*p\.jsonl \(JSON lines go to the API/,
    );
    const rowless = await runImport(writeFiles({ "o.inter": `${header}\n` }));
    expect(rowless).toMatchObject({ code: 1, report: { result: "failed" } });
    expect(api.reports).toMatchObject([
      { name: basename(data), status: "failed", reason: expect.stringContaining("Found: ") },
      { status: "failed", reason: expect.stringContaining("there is no row below the header") },
    ]);
    await runImport(data, ["--dry-run"]);
    expect(api.reports).toHaveLength(2);
  });

  it("files: events that an earlier import moved by other weeks are known before", async () => {
    const data = writeFiles({ "a.inter": [header, "u\tp\t1359712800", "u\tq\t1359712860"].join("\n") });
    api.refuse = (lines) => ({
      status: 422,
      body: {
        report: {
          ...{ received: lines.length, accepted: 0, duplicates: 0, rejected: lines.length },
          errors: lines.map((_, i) => ({
            line: i + 1,
            code: "event_id_conflict",
            message: "differs",
            fields: ["timestamp"],
          })),
        },
      },
    });
    const moved = await runImport(data);
    expect(moved.code).toBe(0);
    expect(moved.report.events).toMatchObject({ sent: 2, accepted: 0, knownBefore: 2, refused: 0 });
    // Times that were not moved differ in truth.
    const kept = await runImport(data, ["--times", "keep"]);
    expect(kept.code).toBe(1);
    expect(kept.report.reason).toContain("the API accepted none of 2 events; the first reason: differs");
  });

  it("files: splits a user with 10,500 events into requests, one at a time", async () => {
    const lines = Array.from({ length: 10_500 }, (_, i) => `busy\tp${i % 7}\t${start - i}`);
    const data = writeFiles({ "a.inter": [header, ...rows(start, 300), ...lines].join("\n") });
    const { code, report } = await runImport(data);
    expect(code).toBe(0);
    expect(report.events).toMatchObject({ sent: 10_800, accepted: 10_800 });
    expect(Math.max(...api.requests)).toBeLessThanOrEqual(4000);
    expect(api.overlaps).toBe(0);
  });

  it("files: a failed import says so with its reason, exits with 1, and can be run again", async () => {
    const data = writeFiles({ "a.inter": [header, ...rows(start, 5)].join("\n") });
    api.refuse = () => ({ status: 413, body: { detail: "At most 3 lines." } });
    const { code, report } = await runImport(data);
    expect(code).toBe(1);
    expect(report).toMatchObject({ result: "failed", reason: expect.stringContaining("At most 3 lines.") });
    expect(api.reports.at(-1)).toMatchObject({
      name: "a",
      status: "failed",
      reason: expect.stringContaining("413"),
    });
    api.refuse = null;
    expect((await runImport(data)).code).toBe(0);
    expect(api.reports.at(-1)).toMatchObject({ name: "a", status: "done" });
  });

  it("files: an import that is interrupted says so", async () => {
    const data = writeFiles({ "a.inter": [header, ...rows(start, 5)].join("\n") });
    api.hangs = true;
    const { code } = await runImport(data, [], true, (child) => {
      const timer = setInterval(() => {
        if (api.requests.length === 0) return;
        clearInterval(timer);
        child.kill("SIGINT");
      }, 20);
    });
    expect(code).toBe(130);
    expect(api.reports.at(-1)).toMatchObject({ status: "failed", reason: "the importer was interrupted" });
  });

  it("files: an import of which the API accepts nothing fails with the first reason", async () => {
    const data = writeFiles({ "a.inter": [header, ...rows(start, 5)].join("\n") });
    api.refuse = (lines) => ({
      status: 200,
      body: {
        received: lines.length,
        accepted: 0,
        duplicates: 0,
        rejected: lines.length,
        errors: lines.map((_, i) => ({ line: i + 1, message: "is wrong" })),
      },
    });
    const { code, report } = await runImport(data);
    expect(code).toBe(1);
    expect(report.reason).toContain("accepted none of 5 events; the first reason: is wrong");
    expect(api.reports.at(-1)).toMatchObject({ status: "failed" });
  });

  it("files: writes all rows that the API refused, beyond the reasons of one answer", async () => {
    const data = writeFiles({ "a.inter": [header, ...rows(start, 500), `good\tp\t${start}`].join("\n") });
    api.refuse = (lines) => {
      const bad = lines.flatMap(({ userId }, i) =>
        userId === "good" ? [] : [{ line: i + 1, message: "is wrong" }],
      );
      return {
        status: 200,
        body: {
          received: lines.length,
          accepted: lines.length - bad.length,
          duplicates: 0,
          rejected: bad.length,
          errors: bad.slice(0, 100),
        },
      };
    };
    const { report } = await runImport(data);
    expect(report.events).toMatchObject({ sent: 501, accepted: 1, refused: 500 });
    expect(report.refusedByApi.count).toBe(500);
    const written = readFileSync(report.refusedByApi.files[0], "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(written).toHaveLength(500);
    expect(written[0]).toMatchObject({ reason: "is wrong", item: { type: "purchase" } });
  });

  it("files: does not replace a product of the catalog by one that only events name", async () => {
    const catalog = writeFiles({
      "catalog.csv": "id,title,price,currency\np1,Espresso,2.50,EUR",
    });
    expect((await runImport(catalog)).report.products).toMatchObject({ sent: 1, accepted: 1 });
    const orders = writeFiles({ "orders.csv": `user_id,item_id,timestamp\nu,p1,${start}\nu,p2,${start}` });
    const { report } = await runImport(orders);
    expect(report.products).toMatchObject({ sent: 1 });
    expect(api.products.get("p1")).toMatchObject({ title: "Espresso", price: 2.5 });
    expect(api.products.has("p2")).toBe(true);
  });

  it("files: asks again for the products of the catalog where the API is busy", async () => {
    api.busy = 1;
    const data = writeFiles({ "a.inter": [header, `u\tp\t${start}`].join("\n") });
    expect(await runImport(data)).toMatchObject({ code: 0, report: { products: { accepted: 1 } } });
  });

  it("files: writes refused rows and absent values beside the file, and reads neither again", async () => {
    const data = writeFiles({
      "orders.csv": `user_id,item_id,timestamp\nu,p1,${start}\n,p1,${start}\nu,p1,soon`,
      "products.csv": "id,title,price\np1,One,$12.99\np2,Two,3",
    });
    for (let run = 0; run < 2; run++) {
      const { code, report } = await runImport(data);
      expect(code).toBe(0);
      expect(report.read).toEqual({ rows: 5, accepted: 3, refused: 2 });
      expect(report.refusedRows.files).toEqual([join(data, "orders.csv.refused.tsv")]);
      expect(report.absentValues).toMatchObject({ count: 1, files: [join(data, "products.csv.absent.tsv")] });
    }
    expect(readFileSync(join(data, "orders.csv.refused.tsv"), "utf8").split("\n")).toEqual([
      "line\treason\trow",
      `3\tuser_id is empty\t,p1,${start}`,
      '4\ttimestamp must be seconds since 1970 or ISO 8601, for example 2026-01-31T12:00:00Z; got "soon"\tu,p1,soon',
      "",
    ]);
    expect(readFileSync(join(data, "products.csv.absent.tsv"), "utf8")).toContain(
      "2\tprice\t$12.99\tmust be a number",
    );
    writeFileSync(join(data, "orders.csv"), `user_id,item_id,timestamp\nu,p1,${start}\n`);
    await runImport(data);
    expect(readdirSync(data)).not.toContain("orders.csv.refused.tsv");
  });

  it.skipIf(process.getuid?.() === 0)(
    "files: writes refused rows to the current folder where the other is read-only",
    async () => {
      const data = writeFiles({ "ro.inter": [header, `u\tp\t${start}`, "u\tp\t"].join("\n") });
      chmodSync(data, 0o555);
      const { report } = await runImport(data);
      chmodSync(data, 0o755);
      expect(report.refusedRows.files).toEqual([join(scratch, "ro.inter.refused.tsv")]);
    },
  );

  it("files: exits with 1 and one clear text if nothing is accepted or the file is no table", async () => {
    for (const [files, reason] of [
      [
        { "a.inter": `${header}\nu\tp\t\nu\tp\tnan` },
        "no row of events was accepted. The first was a.inter, line 2",
      ],
      [{ "a.inter": "kunde\tartikel\nu\tp" }, "no column is user_id. The columns are kunde, artikel."],
      [{ "a.inter": new Uint8Array([0x1f, 0x8b, 8, 0, 1]) }, "a.inter: the file is a gzip archive"],
      [{ "readme.txt": "hello" }, "there is no file of events or products"],
    ] as const) {
      const { code, output } = await runImport(writeFiles({ ...files }), [], false);
      expect(code).toBe(1);
      expect(output).toContain(`The import failed: `);
      expect(output).toContain(reason);
      expect(output).not.toContain("    at ");
    }
    expect(api.events.size).toBe(0);
  });

  it("files: --dry-run reads and reports, and sends nothing", async () => {
    const data = writeFiles({ "a.inter": [header, ...rows(start, 5)].join("\n") });
    const { code, output } = await runImport(data, ["--dry-run"], false);
    expect(code).toBe(0);
    expect(output).toContain("a.inter: 5 rows of events, 5 accepted, 0 refused (UTF-8, tabs)");
    expect(output).toContain("Nothing was sent: 5 products and 5 events are ready.");
    expect(api.reports).toEqual([]);
  });

  it("files: refuses a wrong option by its name", async () => {
    const data = writeFiles({ "a.inter": [header, ...rows(start, 5)].join("\n") });
    for (const [args, text] of [
      [["--map", "x"], "--map must be THEIRS=OURS"],
      [["--event-type", "like"], "--event-type must be one of view"],
      [["--rating-min", "x"], "--rating-min must be a number"],
      [["--decimal", "x"], '--decimal must be "point" or "comma"'],
      [["--map", "a=title", "--map", "a=price"], "--map names column a twice, as title and as price"],
      [["--times", "x"], '--times must be "keep" or "move"'],
    ] as const) {
      const { code, output } = await runImport(data, [...args], false);
      expect(code).toBe(1);
      expect(output).toContain(text);
    }
  });
});

/** Folders of failing inputs beside the repository, with the number of events and products that each holds. */
const cases = join(root, "../shared/cases/files");
const expected: Record<string, { accepted: number; refused: number; products: number }> = {
  week1: { accepted: 30, refused: 0, products: 3 },
  week2: { accepted: 30, refused: 0, products: 3 },
  hist1: { accepted: 10, refused: 0, products: 10 },
  hist2: { accepted: 11, refused: 0, products: 11 },
  parts: { accepted: 60, refused: 0, products: 6 },
  pdindex: { accepted: 40, refused: 0, products: 6 },
  ms: { accepted: 40, refused: 0, products: 6 },
  csv: { accepted: 40, refused: 0, products: 6 },
  utf16: { accepted: 40, refused: 0, products: 6 },
  outlier: { accepted: 60, refused: 1, products: 6 },
  notime: { accepted: 30, refused: 30, products: 3 },
  yelp: { accepted: 60, refused: 0, products: 6 },
  gowalla: { accepted: 60, refused: 0, products: 6 },
};

if (!existsSync(cases)) console.log("../shared/cases/files is missing, so its folders are not imported.");
describe.skipIf(!existsSync(cases))("the folders of ../shared/cases/files", () => {
  it.each(existsSync(cases) ? readdirSync(cases) : [])("files/%s", async (name) => {
    const folder = join(scratch, name);
    mkdirSync(folder);
    for (const file of readdirSync(join(cases, name)))
      writeFileSync(join(folder, file), readFileSync(join(cases, name, file)));
    // The rows are of 2026. Kept, their times are the same in every year.
    const { code, report } = await runImport(folder, ["--times", "keep"]);
    expect(code).toBe(0);
    expect({ accepted: api.events.size, refused: report.read.refused, products: api.products.size }).toEqual(
      expected[name],
    );
    for (const { timestamp } of api.events.values()) expect(timestamp).toMatch(/^2026-0[56]-/);
    if (name === "yelp" || name === "gowalla" || name === "utf16" || name === "pdindex")
      for (const product of api.products.values()) expect(product.location).not.toBeNull();
  });
});
