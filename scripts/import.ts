// npm run import -- --data DIR --url URL --key KEY
import { parseArgs } from "node:util";
import { loadMarketplace } from "./marketplace/load-marketplace.ts";
import { marketplaceSource } from "./marketplace/marketplace.ts";
import { resolveDatasetFolder } from "./start/options.ts";
import { exitWithError, ProgressLine, progressText } from "./terminal/terminal.ts";

const { values } = parseArgs({
  options: { data: { type: "string" }, url: { type: "string" }, key: { type: "string" } },
});
const { data, url, key } = values;
if (data === undefined || url === undefined || key === undefined)
  exitWithError("Usage: npm run import -- --data DIR --url URL --key ADMIN_KEY");
const choice = marketplaceSource(resolveDatasetFolder(data));
const market = choice.read(Date.now() / 1000);
for (const problem of choice.rejectedRows()) console.log(problem);
const task = new ProgressLine(`import of ${market.name}`);
try {
  const report = await loadMarketplace(market, { url: url.replace(/\/$/, ""), key }, (step, done, total) =>
    task.update(`${step} ${progressText(done, total)}`),
  );
  task.done();
  for (const [name, part] of Object.entries({ products: report.products, events: report.events })) {
    console.log(
      `${name}: ${part.received} sent, ${part.accepted} accepted, ${part.duplicates} known before, ${part.rejected} refused`,
    );
    for (const { line, message } of part.errors.slice(0, 10)) console.log(`  line ${line}: ${message}`);
  }
} catch (error) {
  exitWithError(`The import ended: ${error instanceof Error ? error.message : error}`);
}
