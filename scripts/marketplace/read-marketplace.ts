import { type Dataset, weekShift } from "../../model/data/dataset.ts";
import { datasetFiles } from "../../model/data/read-dataset.node.ts";
import { type ReadOptions, readFiles } from "../../model/data/read-files.ts";
import type { ReadReport } from "../../model/data/read-report.ts";
import { demoSize, simulate } from "../../model/simulate/simulate.ts";
import { demoDetails, demoSchema } from "./demo-details.ts";
import { FindingsFiles } from "./findings-files.ts";
import { type Marketplace, toMarketplace } from "./marketplace.ts";

/**
 * Whether times are moved to the present by whole weeks. `old` moves them if the newest event is more than a year old:
 * a deployment forgets events after its retention time.
 */
export type TimePolicy = "keep" | "move" | "old";

/** A marketplace, with what was found when it was read; `report` is null for the demo. */
export interface ReadMarketplace {
  marketplace: Marketplace;
  report: ReadReport | null;
  /** Weeks by which all times were moved. */
  movedWeeks: number;
  /** Tables of all refused rows and of all values that were left out. */
  findings: { refused: string[]; absent: string[] };
  /** Products without a row of their own. The import must not replace products that exist. */
  derivedProducts: ReadonlySet<string>;
}

const demoSeed = 1;
/** Age after which a dataset is old, in seconds: 52 weeks. */
const oldSeconds = 52 * 7 * 86_400;
const weekSeconds = 7 * 86_400;

/** Simulates the demo marketplace. `now` is in seconds since the epoch. */
export const demoMarketplace = (now: number): ReadMarketplace => ({
  marketplace: toMarketplace(simulate(demoSize, demoSeed, now).dataset, {
    shift: 0,
    schema: demoSchema,
    moreFields: (item) => demoDetails(item, now),
  }),
  report: null,
  movedWeeks: 0,
  findings: { refused: [], absent: [] },
  derivedProducts: new Set(),
});

/**
 * Reads the dataset at a path, a folder or one file. Throws if it cannot be read or no row of it is accepted. `now` is
 * in seconds since the epoch.
 */
export function readMarketplace(
  path: string,
  now: number,
  times: TimePolicy,
  options: ReadOptions = {},
): ReadMarketplace {
  const { folder, files } = datasetFiles(path);
  const findingsFiles = new FindingsFiles(folder);
  let findings: ReadMarketplace["findings"];
  try {
    const { dataset, report } = readFiles(files, {
      now,
      ...options,
      onRefused: (row) => findingsFiles.onRefused(row),
      onAbsent: (value) => findingsFiles.onAbsent(value),
    });
    findings = findingsFiles.close(files.map(({ name }) => name));
    const shift = shiftOf(dataset, report.timed, now, times);
    return {
      marketplace: toMarketplace(dataset, {
        shift,
        timed: report.timed,
        withheld: new Set([...report.refusedProducts].filter((id) => report.derivedProducts.has(id))),
      }),
      report,
      // Without a column of times, no time of a file was changed.
      movedWeeks: report.timed ? shift / weekSeconds : 0,
      findings,
      derivedProducts: report.derivedProducts,
    };
  } catch (error) {
    const { refused } = findingsFiles.close([]);
    if (error instanceof Error && refused.length > 0)
      error.message += `\nAll refused rows, with their reasons: ${refused.join(", ")}`;
    throw error;
  }
}

/** Returns the seconds by which all times of a dataset move. */
function shiftOf(dataset: Dataset, timed: boolean, now: number, times: TimePolicy): number {
  const last = Math.max(
    ...[dataset.train, dataset.valid, dataset.test].map((part) => part.at(-1)?.time ?? -Infinity),
  );
  if (last === -Infinity) return 0;
  // A dataset without times has invented ones, which begin in 1970.
  const moves = !timed || times === "move" || (times === "old" && now - last > oldSeconds);
  return moves ? weekShift(last, now) : 0;
}
