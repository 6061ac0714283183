// npm run rebuild -- --url URL --key KEY
import { parseArgs } from "node:util";
import { rebuildAll } from "./api/rebuild-all.ts";
import { exitWithError, ProgressLine } from "./terminal/terminal.ts";

const { values } = parseArgs({ options: { url: { type: "string" }, key: { type: "string" } } });
const { url, key } = values;
if (url === undefined || key === undefined)
  exitWithError("Usage: npm run rebuild -- --url URL --key ADMIN_KEY");
const task = new ProgressLine("totals, cells and neighbours from products and interactions");
const inWords = ({ totals = 0, cells = 0, neighbours = 0 }): string =>
  `totals of ${totals.toLocaleString("en")} products, ${cells.toLocaleString("en")} cells, steps of ${neighbours.toLocaleString("en")} people`;
try {
  task.done(
    inWords(await rebuildAll({ url: url.replace(/\/$/, ""), key }, (done) => task.update(inWords(done)))),
  );
} catch (error) {
  exitWithError(
    `The rebuild ended: ${error instanceof Error ? error.message : error} It may be started again.`,
  );
}
