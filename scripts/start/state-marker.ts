import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { hasFormerObjects } from "./former-objects.ts";

/**
 * Format of the local state. It grows when tables of Durable Objects or stored profiles change so that older ones
 * cannot be read. Format 1, of version 0.1, was not written down. Format 5 has objects under the names of their own
 * workers; format 4 is served on under the earlier names.
 */
const stateFormats = { current: 5, former: 4 } as const;

/** Returns the format of a state directory, also of one that holds nothing yet. */
const formatOf = (stateDir: string): number =>
  hasFormerObjects(stateDir) ? stateFormats.former : stateFormats.current;

const stateMarker = z.object({
  format: z.number().int().default(1),
  /** Name of the dataset that the state holds. */
  dataset: z.string(),
  /** Whether all products and events are imported. */
  loaded: z.boolean(),
  /** Whether a model is trained on the dataset. */
  trained: z.boolean(),
});
/** Content of `dataset.json` in the state directory: the dataset's name, and which steps have finished. */
export type StateMarker = Omit<z.infer<typeof stateMarker>, "format">;

const markerPath = (stateDir: string): string => join(stateDir, "dataset.json");

/**
 * Reads the marker of a state directory; null for a directory without one. Throws if this version cannot read the
 * state, with a text that says what to do.
 */
export function readStateMarker(stateDir: string): StateMarker | null {
  const path = markerPath(stateDir);
  if (!existsSync(path)) return null;
  const { format, ...marker } = stateMarker.parse(JSON.parse(readFileSync(path, "utf8")));
  if (format !== formatOf(stateDir))
    throw new Error(
      `${stateDir} was written by another version of Vicinity, and this version cannot read it. Delete it, or use another directory: STATE_DIR=DIR npm start`,
    );
  return marker;
}

/** Writes the marker of a state directory. */
export const writeStateMarker = (stateDir: string, marker: StateMarker): void =>
  writeFileSync(markerPath(stateDir), JSON.stringify({ format: formatOf(stateDir), ...marker }));
