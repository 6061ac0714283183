import type { ApiTarget } from "../api/send-with-retries.ts";
import { loadLines } from "../marketplace/import-report.ts";
import { loadMarketplace } from "../marketplace/load-marketplace.ts";
import type { Marketplace } from "../marketplace/marketplace.ts";
import { waitUntilVisible } from "../marketplace/wait-until-visible.ts";
import { ProgressLine, progressText } from "../terminal/progress-line.ts";

/** Imports a marketplace into a running server, shows the progress, and returns when queries find its products. */
export async function importDataset(market: Marketplace, target: ApiTarget): Promise<void> {
  const importing = new ProgressLine("Import products and events");
  const report = await loadMarketplace(market, target, (step, done, total) =>
    importing.update(`${step} ${progressText(done, total)}`),
  );
  const rejected = report.products.rejected + report.events.rejected;
  importing.update("waiting until queries find the products");
  await waitUntilVisible(target, market.products);
  importing.done(rejected === 0 ? "all rows accepted" : `${rejected} rows rejected`);
  if (rejected > 0) for (const line of loadLines(report, null)) console.log(`    ${line}`);
}
