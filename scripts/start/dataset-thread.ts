// A thread that reads a dataset and imports it when it is told where to. Its memory is free again when it ends, and the
// thread of `npm start` goes on meanwhile.
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import type { ApiTarget } from "../api/send-with-retries.ts";
import { loadLines, readLines } from "../marketplace/import-report.ts";
import { loadMarketplace } from "../marketplace/load-marketplace.ts";
import { demoMarketplace, readMarketplace } from "../marketplace/read-marketplace.ts";
import { waitUntilVisible } from "../marketplace/wait-until-visible.ts";
import { progressText } from "../terminal/progress-line.ts";
import type { DatasetMessage, DatasetOptions } from "./dataset-reader.ts";

if (parentPort === null) throw new Error("dataset-thread.ts runs as a thread of npm start only.");
const port = parentPort;
const { dataDir, times, read }: DatasetOptions = workerData;
const send = (message: DatasetMessage): void => port.postMessage(message);
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function run(): Promise<void> {
  const now = Date.now() / 1000;
  const found = dataDir === null ? demoMarketplace(now) : readMarketplace(dataDir, now, times, read);
  const market = found.marketplace;
  send({
    kind: "read",
    summary: {
      name: market.name,
      products: market.products.length,
      users: new Set(market.events.map((event) => event.userId)).size,
      events: market.events.length,
      lines: readLines(found),
    },
  });
  const [target]: ApiTarget[] = await once(port, "message");
  const report = await loadMarketplace(market, target, (step, done, total) =>
    send({ kind: "progress", detail: `${step} ${progressText(done, total)}` }),
  );
  const rejected = report.products.rejected + report.events.rejected;
  send({ kind: "progress", detail: "waiting until queries find the products" });
  await waitUntilVisible(target, market.products);
  send({ kind: "imported", report: { rejected, lines: rejected > 0 ? loadLines(report, null) : [] } });
}

run().catch((error) => send({ kind: "failed", reason: reasonOf(error) }));
