// `npm run import -- --data PATH --url URL`: imports a dataset, a RecBole dataset or CSV files, into a running
// Vicinity. docs/guides/import.md explains its options and its report.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, parse as parsePath, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import type { ApiTarget } from "./api/send-with-retries.ts";
import { importArguments, importUsage, parseImportArguments } from "./marketplace/import-arguments.ts";
import { jsonReport, loadLines, readLines, refusedItemsName } from "./marketplace/import-report.ts";
import { findKnownProducts } from "./marketplace/known-products.ts";
import {
  type LoadReport,
  loadMarketplace,
  type RefusedItem,
  reportImport,
} from "./marketplace/load-marketplace.ts";
import { toImportName } from "./marketplace/marketplace.ts";
import { type ReadMarketplace, readMarketplace } from "./marketplace/read-marketplace.ts";
import { keyArguments, keyUsage, readKeyOrExit } from "./secrets/read-key.ts";
import { ProgressLine, progressText } from "./terminal/progress-line.ts";

const usage = `Usage: npm run import -- --data PATH --url URL ${keyUsage} ${importUsage} [--dry-run] [--json]`;
const { values, options } = parseOrExit(() => {
  const parsed = parseArgs({
    options: {
      data: { type: "string" },
      url: { type: "string" },
      ...keyArguments,
      "dry-run": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      ...importArguments,
    },
  }).values;
  return { values: parsed, options: parseImportArguments(parsed) };
}, usage);
const { data, url, json } = values;
const dryRun = values["dry-run"];
if (data === undefined || (!dryRun && url === undefined)) exitWithError(usage);
if (!existsSync(data)) exitWithError(`${data} does not exist. --data must name a folder or a file.`);
const key = dryRun ? "" : await readKeyOrExit(values);

/** Ends with an error: as an object with `--json`, else as a line. */
function fail(reason: string, read: ReadMarketplace | null, load: LoadReport | null = null): never {
  if (!json) exitWithError(`The import failed: ${reason}`);
  console.log(
    JSON.stringify(
      read ? jsonReport(read, load, { result: "failed", reason }) : { result: "failed", reason },
      null,
      2,
    ),
  );
  process.exit(1);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Milliseconds that this command waits for the API to store that a dataset could not be read. */
const reportTimeoutMs = 5000;

/** Reports an import whose files could not be read, under the name of its folder or file. Never fails. */
async function reportUnread(path: string, reason: string): Promise<void> {
  if (dryRun) return;
  const name = toImportName(parsePath(resolve(path)).name) || "dataset";
  const stored = reportImport({ url: String(url).replace(/\/+$/, ""), key }, name, {
    status: "failed",
    done: 0,
    total: 0,
    reason,
  }).catch(() => undefined);
  await Promise.race([stored, sleep(reportTimeoutMs)]);
}

async function readOrFail(path: string): Promise<ReadMarketplace> {
  try {
    return readMarketplace(path, Date.now() / 1000, options.times, {
      ...options.read,
      needsEvents: false,
    });
  } catch (error) {
    await reportUnread(path, messageOf(error));
    return fail(messageOf(error), null);
  }
}

/** Writes what the API refused beside the dataset, or to the current folder. Returns the path; null if nothing was. */
function writeRefused(path: string, name: string, refused: readonly RefusedItem[]): string | null {
  if (refused.length === 0) return null;
  const text = refused
    .map(({ reason, item }) => `${JSON.stringify({ reason, item: parseItem(item) })}\n`)
    .join("");
  const folder = statSync(path).isFile() ? dirname(path) : path;
  for (const place of [folder, process.cwd()]) {
    const file = resolve(join(place, refusedItemsName(name)));
    try {
      writeFileSync(file, text);
      return file;
    } catch (error) {
      if (place === process.cwd()) throw error;
    }
  }
  return null;
}

const parseItem = (item: string): unknown => (item === "" ? null : JSON.parse(item));

/** Imports what was read. Products that the catalog has, and that the dataset knows from events only, are left alone. */
async function load(read: ReadMarketplace, target: ApiTarget): Promise<LoadReport> {
  const { marketplace, derivedProducts } = read;
  if (derivedProducts.size > 0) {
    const known = await findKnownProducts(target, derivedProducts);
    marketplace.products = marketplace.products.filter(({ id }) => !known.has(id));
  }
  const onInterrupt = (): void => {
    const total = marketplace.products.length + marketplace.events.length;
    const end = (): never => process.exit(130);
    reportImport(target, marketplace.name, {
      status: "failed",
      done: 0,
      total,
      reason: "the importer was interrupted",
    }).then(end, end);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onInterrupt);
  const task = json ? null : new ProgressLine(`Import ${marketplace.name}`);
  const report = await loadMarketplace(marketplace, target, (step, done, total) =>
    task?.update(`${step} ${progressText(done, total)}`),
  );
  task?.done();
  return report;
}

const read = await readOrFail(data);
if (!json) for (const line of readLines(read)) console.log(line);
if (dryRun) {
  const { products, events } = read.marketplace;
  if (json) console.log(JSON.stringify(jsonReport(read, null, { result: "read" }), null, 2));
  else
    console.log(
      `Nothing was sent: ${products.length.toLocaleString("en")} products and ${events.length.toLocaleString("en")} events are ready.`,
    );
} else {
  const target = { url: String(url).replace(/\/+$/, ""), key };
  let report: LoadReport;
  try {
    report = await load(read, target);
  } catch (error) {
    fail(`${messageOf(error)}\nRun it again: rows that were already imported count as known before.`, read);
  }
  const refusedFile = writeRefused(data, read.marketplace.name, report.refused);
  if (json) console.log(JSON.stringify(jsonReport(read, report, { result: "done", refusedFile }), null, 2));
  else for (const line of loadLines(report, refusedFile)) console.log(line);
}
