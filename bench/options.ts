import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";

/** Everything that can be measured, in the order in which it is. */
export const sectionNames = [
  "limit",
  "startup",
  "choices",
  "parts",
  "nearby",
  "cut",
  "trainer",
  "end-to-end",
  "ingest",
  "swap",
  "soak",
  "recalibration",
  "recalibration-memory",
] as const;
export type SectionName = (typeof sectionNames)[number];

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  sections: SectionName[];
  /** Products of the generated catalogue. */
  products: number;
  /** Examples of the generated training log. */
  examples: number;
  /** Rows of each of them. */
  rows: number;
  /** Seconds of each load on the workers. */
  seconds: number;
  /** File for the figures as JSON; null for none. */
  json: string | null;
  /** Folder for CPU profiles of the isolates while they answer recommendations; null for none. */
  profiles: string | null;
  port: number;
  /** Folder of the workers' state, which holds the loaded catalogue and is used again. */
  stateDir: string;
}

/** Memory as a file system, where there is one: figures are then of the code, not of a disk that syncs. */
const memoryFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const usage = `Usage: npm run bench -- [--only ${sectionNames.join(",")}] [--products N] [--examples N] [--rows N] [--seconds S] [--json FILE] [--profiles DIR]`;

/** A whole number between two bounds; ends the process where it is none. */
function parseInteger(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max)
    exitWithError(`${name} is a whole number from ${min} to ${max}, not "${text}". ${usage}`);
  return value;
}

function parseSections(text: string | undefined): SectionName[] {
  if (text === undefined) return [...sectionNames];
  const wanted = text.split(",");
  const unknown = wanted.find((name) => !sectionNames.some((known) => known === name));
  if (unknown !== undefined) exitWithError(`There is no section "${unknown}". ${usage}`);
  return sectionNames.filter((name) => wanted.includes(name));
}

function parseValues(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        only: { type: "string" },
        products: { type: "string", default: "10000" },
        examples: { type: "string", default: "200000" },
        rows: { type: "string", default: "20" },
        seconds: { type: "string", default: "20" },
        json: { type: "string" },
        profiles: { type: "string" },
      },
    }).values;
  } catch (error) {
    return exitWithError(`${error instanceof Error ? error.message.split("\n")[0] : error} ${usage}`);
  }
}

/** Parses arguments and environment (PORT, STATE_DIR); a mistake ends the process with one line. */
export function parseBenchOptions(args: string[], environment: NodeJS.ProcessEnv): BenchOptions {
  const values = parseValues(args);
  const products = parseInteger("--products", values.products, 1000, 1_000_000);
  return {
    sections: parseSections(values.only),
    products,
    examples: parseInteger("--examples", values.examples, 1000, 200_000),
    rows: parseInteger("--rows", values.rows, 3, 32),
    seconds: parseInteger("--seconds", values.seconds, 1, 600),
    json: values.json === undefined ? null : resolve(values.json),
    profiles: values.profiles === undefined ? null : resolve(values.profiles),
    port: parseInteger("PORT", environment.PORT ?? "8797", 1, 65_535),
    stateDir: resolve(environment.STATE_DIR ?? join(memoryFolder, `vicinity-bench-${products}`)),
  };
}
