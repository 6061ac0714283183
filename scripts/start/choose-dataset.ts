import { exitWithError } from "../../model/cli/options.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { DatasetReader } from "./dataset-reader.ts";
import type { StartOptions } from "./options.ts";
import { readStateMarker, type StateMarker } from "./state-marker.ts";

/** Name of the dataset that `npm start` simulates, and of the absence of one. */
const demo = "demo";
const empty = "none";

/** What a start serves: the marker of its state, and the dataset that it must import; null if it must not. */
export interface ChosenDataset {
  state: StateMarker;
  read: DatasetReader | null;
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
async function readData(options: StartOptions): Promise<DatasetReader> {
  const { dataDir } = options;
  const reading = new ProgressLine(dataDir ? "Read the dataset" : "Simulate the demo marketplace");
  const read = await DatasetReader.read(options).catch((error) =>
    exitWithError(`\n${dataDir} cannot be imported: ${error instanceof Error ? error.message : error}`),
  );
  const count = (value: number): string => value.toLocaleString("en");
  const { products, users, events, lines } = read.summary;
  reading.done(`${count(products)} products, ${count(users)} users, ${count(events)} events`);
  for (const line of lines) console.log(`    ${line}`);
  return read;
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
  const { name } = read.summary;
  if (saved && saved.dataset !== name)
    exitWithError(
      `${stateDir} already contains the dataset "${saved.dataset}". Use another directory for "${name}": STATE_DIR=DIR npm start -- --data ...`,
    );
  const state = saved ?? { dataset: name, loaded: false, trained: false };
  if (!state.loaded) return { state, read };
  await read.discard();
  return { state, read: null };
}

/** Returns what a start serves, for a line of its output. */
export const datasetTitle = ({ dataset }: StateMarker): string =>
  ({ [demo]: "the demo marketplace", [empty]: "an empty catalog" })[dataset] ?? `the dataset ${dataset}`;
