import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { type Point, point } from "../shared/contracts/primitives.ts";

/** All sections, in the order in which they run. */
export const sectionNames = [
  "limit",
  "training",
  "startup",
  "choices",
  "parts",
  "rules",
  "expressions",
  "nearby",
  "rare",
  "cut",
  "columns",
  "trainer",
  "log",
  "as-started",
  "mixed",
  "writes",
  "freshness",
  "cost",
  "end-to-end",
  "ingest",
  "swap",
  "soak",
  "recalibration",
  "recalibration-memory",
] as const;
export type SectionName = (typeof sectionNames)[number];

/** Sections that run only if `--only` names them. */
const namedSections: ReadonlySet<SectionName> = new Set(["columns", "mixed", "writes", "freshness", "cost"]);

/** Options of `npm run bench`. */
export interface BenchOptions {
  sections: SectionName[];
  /** Products of the generated catalog. */
  products: number;
  /** Examples of the generated training log. */
  examples: number;
  /** Candidate rows of each example. */
  rows: number;
  /** Whether `--only` names the sections. Without it, sections with a short form run that. */
  named: boolean;
  /** Seconds that each load on the workers lasts. */
  seconds: number;
  /** File for the figures as JSON; null for none. */
  json: string | null;
  /** Folder for CPU profiles of the isolates under load; null for none. */
  profiles: string | null;
  /** Center of the region of the regional loads; null for a past location of a user. */
  region: Point | null;
  port: number;
  /** State directory of the workers. A later run with the same directory reuses the imported catalog. */
  stateDir: string;
}

/** A file system in memory if there is one, so that the figures do not measure the disk. */
const memoryFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const usage = `Usage: npm run bench -- [--only ${sectionNames.join(",")}] [--products N] [--examples N] [--rows N] [--seconds S] [--json FILE] [--profiles DIR] [--region LAT,LON]`;

/** Parses a whole number between `min` and `max`. Ends the process if the text is no such number. */
function parseInteger(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max)
    exitWithError(`${name} must be a whole number from ${min} to ${max}; got "${text}".\n${usage}`);
  return value;
}

/** Parses the center of a region, for example `40.7,-74`. Ends the process if the text is no point. */
function parseRegion(text: string): Point {
  const [lat, lon, ...rest] = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const parsed = point.safeParse({ lat, lon });
  if (rest.length === 0 && parsed.success) return parsed.data;
  return exitWithError(`--region must be LAT,LON in degrees; got "${text}".\n${usage}`);
}

function parseSections(text: string | undefined): SectionName[] {
  if (text === undefined) return sectionNames.filter((name) => !namedSections.has(name));
  const wanted = text.split(",");
  const unknown = wanted.find((name) => !sectionNames.some((section) => section === name));
  if (unknown !== undefined) exitWithError(`--only names the unknown section "${unknown}".\n${usage}`);
  return sectionNames.filter((name) => wanted.includes(name));
}

function parseValues(args: string[]) {
  return parseOrExit(
    () =>
      parseArgs({
        args,
        options: {
          only: { type: "string" },
          products: { type: "string", default: "10000" },
          examples: { type: "string", default: "200000" },
          rows: { type: "string", default: "20" },
          seconds: { type: "string", default: "20" },
          json: { type: "string" },
          profiles: { type: "string" },
          region: { type: "string" },
        },
      }),
    usage,
  ).values;
}

/** Parses arguments and environment (PORT, STATE_DIR). An invalid option ends the process with an error. */
export function parseBenchOptions(args: string[], environment: NodeJS.ProcessEnv): BenchOptions {
  const values = parseValues(args);
  const products = parseInteger("--products", values.products, 1000, 1_000_000);
  return {
    sections: parseSections(values.only),
    named: values.only !== undefined,
    products,
    examples: parseInteger("--examples", values.examples, 1000, 200_000),
    rows: parseInteger("--rows", values.rows, 3, 32),
    seconds: parseInteger("--seconds", values.seconds, 1, 600),
    json: values.json === undefined ? null : resolve(values.json),
    profiles: values.profiles === undefined ? null : resolve(values.profiles),
    region: values.region === undefined ? null : parseRegion(values.region),
    port: parseInteger("PORT", environment.PORT ?? "8797", 1, 65_535),
    stateDir: resolve(environment.STATE_DIR ?? join(memoryFolder, `vicinity-bench-${products}`)),
  };
}
