import { exitWithError } from "../../model/cli/options.ts";
import type { ReadMarketplace } from "../marketplace/read-marketplace.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import type { StartOptions } from "./options.ts";
import { readStateMarker, type StateMarker } from "./state-marker.ts";

/** Name of the dataset that `npm start` simulates, and of the absence of one. */
const demo = "demo";
const empty = "none";

/** What a start serves: the marker of its state, and the dataset that it must import; null if it must not. */
export interface ChosenDataset {
  state: StateMarker;
  read: ReadMarketplace | null;
}

/** Reads the marker of the state directory; ends this process with one line if this version cannot read the state. */
function savedMarker(stateDir: string): StateMarker | null {
  try {
    return readStateMarker(stateDir);
  } catch (error) {
    return exitWithError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the dataset, or simulates the demo. Ends this process with the reason if the dataset cannot be read. */
async function readData({ dataDir, times, read }: StartOptions): Promise<ReadMarketplace> {
  const now = Date.now() / 1000;
  const reading = new ProgressLine(dataDir ? "Read the dataset" : "Simulate the demo marketplace");
  // A start without an import needs none of this code, and its memory.
  const { demoMarketplace, readMarketplace } = await import("../marketplace/read-marketplace.ts");
  const { readLines } = await import("../marketplace/import-report.ts");
  let found: ReadMarketplace;
  try {
    found = dataDir === null ? demoMarketplace(now) : readMarketplace(dataDir, now, times, read);
  } catch (error) {
    return exitWithError(
      `\n${dataDir} cannot be imported: ${error instanceof Error ? error.message : error}`,
    );
  }
  const { products, events } = found.marketplace;
  const users = new Set(events.map((event) => event.userId)).size;
  const count = (value: number): string => value.toLocaleString("en");
  reading.done(`${count(products.length)} products, ${count(users)} users, ${count(events.length)} events`);
  for (const line of readLines(found)) console.log(`    ${line}`);
  return found;
}

/**
 * Chooses what a start serves, and reads the dataset unless an earlier start has imported it. Ends this process with one
 * line if the state directory holds something else than what the options ask for.
 */
export async function chooseDataset(options: StartOptions): Promise<ChosenDataset> {
  const { stateDir, dataDir } = options;
  const saved = savedMarker(stateDir);
  if (options.empty) {
    if (saved && saved.dataset !== empty)
      exitWithError(
        `${stateDir} already contains the dataset "${saved.dataset}". Use another directory for an empty catalog: STATE_DIR=DIR npm start -- --empty`,
      );
    return { state: { dataset: empty, loaded: true, trained: true }, read: null };
  }
  if (saved?.loaded && dataDir === null) return { state: saved, read: null };
  if (saved && dataDir === null && saved.dataset !== demo)
    exitWithError(
      `${stateDir} holds the dataset "${saved.dataset}", whose import has not ended. Name it again: npm start -- --data PATH`,
    );
  const read = await readData(options);
  const { name } = read.marketplace;
  if (saved && saved.dataset !== name)
    exitWithError(
      `${stateDir} already contains the dataset "${saved.dataset}". Use another directory for "${name}": STATE_DIR=DIR npm start -- --data ...`,
    );
  return {
    state: saved ?? { dataset: name, loaded: false, trained: false },
    read: saved?.loaded ? null : read,
  };
}

/** Returns what a start serves, for a line of its output. */
export const datasetTitle = ({ dataset }: StateMarker): string =>
  ({ [demo]: "the demo marketplace", [empty]: "an empty catalog" })[dataset] ?? `the dataset ${dataset}`;
