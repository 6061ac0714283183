// `npm run rebuild -- --url URL`: rebuilds all derived state of an application from its products and
// interactions.
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { rebuildAll } from "./api/rebuild-all.ts";
import { keyArguments, keyUsage, readKeyOrExit } from "./secrets/read-key.ts";
import { ProgressLine } from "./terminal/progress-line.ts";

const usage = `Usage: npm run rebuild -- --url URL ${keyUsage}`;
const { values } = parseOrExit(
  () => parseArgs({ options: { url: { type: "string" }, ...keyArguments } }),
  usage,
);
const { url } = values;
if (url === undefined) exitWithError(usage);
const key = await readKeyOrExit(values);
const task = new ProgressLine("Rebuild derived state");
const countsText = ({ totals = 0, cells = 0, neighbours = 0 }): string =>
  `totals of ${totals.toLocaleString("en")} products, ${cells.toLocaleString("en")} cells, transitions of ${neighbours.toLocaleString("en")} users`;
try {
  task.done(
    countsText(
      await rebuildAll({ url: url.replace(/\/$/, ""), key }, (done) => task.update(countsText(done))),
    ),
  );
} catch (error) {
  exitWithError(
    `The rebuild failed: ${error instanceof Error ? error.message : error}\nRun it again: a repeated rebuild gives the same result.`,
  );
}
