import { type EventType, eventTypes } from "../../shared/contracts/event.ts";
import type { DecimalMark } from "../data/cell-values.ts";
import type { ColumnMap } from "../data/columns.ts";
import type { ReadOptions } from "../data/read-files.ts";

/** Options of the command line that say how a dataset is read, for `parseArgs`. */
export const readArguments = {
  map: { type: "string", multiple: true },
  "event-type": { type: "string" },
  "rating-min": { type: "string" },
  decimal: { type: "string" },
} as const;

/** The options, as a usage line shows them. */
export const readUsage = "[--map THEIRS=OURS]... [--event-type TYPE] [--rating-min N] [--decimal comma]";

/** The options as `parseArgs` returns them. */
export interface ReadArguments {
  map?: string[];
  "event-type"?: string;
  "rating-min"?: string;
  decimal?: string;
}

/** Returns how a dataset is read. Throws with the name of an option that is wrong. */
export const parseReadArguments = (values: ReadArguments): ReadOptions => ({
  map: parseMap(values.map ?? []),
  ...(values["event-type"] === undefined ? {} : { eventType: parseEventType(values["event-type"]) }),
  ...(values["rating-min"] === undefined ? {} : { minRating: parseRating(values["rating-min"]) }),
  ...(values.decimal === undefined ? {} : { decimal: parseDecimal(values.decimal) }),
});

function parseMap(pairs: readonly string[]): ColumnMap {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.lastIndexOf("=");
    if (equals < 1 || equals === pair.length - 1)
      throw new Error(`--map must be THEIRS=OURS, for example --map artikelnr=item_id; got "${pair}".`);
    const [theirs, ours] = [pair.slice(0, equals), pair.slice(equals + 1)];
    const other = map.get(theirs);
    if (other !== undefined && other !== ours)
      throw new Error(`--map names column ${theirs} twice, as ${other} and as ${ours}.`);
    map.set(theirs, ours);
  }
  return map;
}

function parseEventType(text: string): EventType {
  const type = eventTypes.find((each) => each === text);
  if (!type) throw new Error(`--event-type must be one of ${eventTypes.join(", ")}; got "${text}".`);
  return type;
}

function parseDecimal(text: string): DecimalMark {
  if (text !== "point" && text !== "comma")
    throw new Error(`--decimal must be "point" or "comma"; got "${text}".`);
  return text;
}

function parseRating(text: string): number {
  const rating = Number(text);
  if (text.trim() === "" || !Number.isFinite(rating))
    throw new Error(`--rating-min must be a number; got "${text}".`);
  return rating;
}
