import { parseReadArguments, readArguments, readUsage } from "../../model/cli/read-arguments.ts";
import type { ReadOptions } from "../../model/data/read-files.ts";
import type { TimePolicy } from "./read-marketplace.ts";

/** Options of the command line that say how a dataset is read and imported, for `parseArgs`. */
export const importArguments = { ...readArguments, times: { type: "string" } } as const;

/** The options, as a usage line shows them. */
export const importUsage = `${readUsage} [--times keep|move]`;

/** Returns how a dataset is read and imported. Throws with the name of an option that is wrong. */
export function parseImportArguments(values: Parameters<typeof parseReadArguments>[0] & { times?: string }): {
  read: ReadOptions;
  times: TimePolicy;
} {
  const { times } = values;
  if (times !== undefined && times !== "keep" && times !== "move")
    throw new Error(`--times must be "keep" or "move"; got "${times}".`);
  return { read: parseReadArguments(values), times: times ?? "old" };
}
