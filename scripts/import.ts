// `npm run import -- --data DIR --url URL --key KEY`: imports a RecBole dataset into a running Vicinity.
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { loadMarketplace } from "./marketplace/load-marketplace.ts";
import { marketplaceSource } from "./marketplace/marketplace.ts";
import { resolveDatasetFolder } from "./start/options.ts";
import { ProgressLine, progressText } from "./terminal/progress-line.ts";

const maxPrintedErrors = 10;

const usage = "Usage: npm run import -- --data DIR --url URL --key ADMIN_KEY";
const { data, url, key } = parseOrExit(
  () =>
    parseArgs({ options: { data: { type: "string" }, url: { type: "string" }, key: { type: "string" } } }),
  usage,
).values;
if (data === undefined || url === undefined || key === undefined) exitWithError(usage);
const source = marketplaceSource(resolveDatasetFolder(data));
const marketplace = source.read(Date.now() / 1000);
for (const problem of source.rejectedRows()) console.log(problem);
const task = new ProgressLine(`Import ${marketplace.name}`);
try {
  const report = await loadMarketplace(
    marketplace,
    { url: url.replace(/\/$/, ""), key },
    (step, done, total) => task.update(`${step} ${progressText(done, total)}`),
  );
  task.done();
  for (const [name, part] of Object.entries({ products: report.products, events: report.events })) {
    console.log(
      `${name}: ${part.received} sent, ${part.accepted} accepted, ${part.duplicates} duplicates, ${part.rejected} rejected`,
    );
    for (const { line, message } of part.errors.slice(0, maxPrintedErrors))
      console.log(`  line ${line}: ${message}`);
  }
} catch (error) {
  exitWithError(
    `The import failed: ${error instanceof Error ? error.message : error}\nRun it again: rows that were already imported count as duplicates.`,
  );
}
