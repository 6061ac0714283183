import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { Random } from "../../model/train/random.ts";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import { freePort } from "../../scripts/start/free-port.ts";
import { productWithTotals } from "../../shared/contracts/product.ts";
import { sumOfCounts } from "../../shared/contracts/totals.ts";
import { expectedTotals } from "../support/expected-totals.ts";
import { toNdjson } from "../support/ndjson.ts";
import { waitUntil } from "../support/polling.ts";
import { generateProducts, lima, oslo } from "../support/products.ts";
import { type AuditFinding, auditStores, isExactlyOnce } from "./audit-stores.ts";
import { callApi } from "./call-api.ts";
import { DeliveryLedger } from "./delivery-ledger.ts";
import { LocalStack } from "./local-stack.ts";
import { readStores } from "./read-stores.ts";
import { RetryingClient } from "./retrying-client.ts";

/** Size and seed of a kill trial. */
export interface KillTrialPlan {
  seed: number;
  kills: number;
  /** Smallest number of different events to send. */
  events: number;
  clients: number;
  usersPerClient: number;
  /** Longest time between a start and the next kill, in milliseconds, unless the trial waits for events. */
  maxUptimeMs: number;
  /** Receives a line of text about the progress. */
  onProgress(line: string): void;
}

/** Result of a kill trial. */
export interface KillTrialResult {
  ledger: DeliveryLedger;
  kills: number;
  findings: AuditFinding[];
  seconds: number;
}

/** Shortest time between a start and the next kill. */
const minUptimeMs = 100;
/** Longest time that a trial waits for events before a kill. */
const maxEventWaitMs = 60_000;
const importTimeoutSeconds = 60;
const catalog = [...generateProducts("oslo", oslo, 40), ...generateProducts("lima", lima, 20)];
/** Time in which the totals must count all events after the last kill. A lost queue message is sent again after 60 s. */
const deliveryTimeoutMs = 240_000;
/** Largest number of audits of the stores. */
const maxAudits = 8;
/** Time for which the stack runs before each further audit, so that lost messages are sent again. */
const redeliveryMs = 25_000;

const nearbyItems = z.object({ items: z.array(z.unknown()) });

/** Imports the catalog and waits until the cells have all products. */
async function importCatalog(url: string): Promise<void> {
  await callApi(url, z.unknown(), "POST", "/v1/products/bulk", toNdjson(catalog));
  const nearbyPath = `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}&limit=${catalog.length}`;
  await waitUntil(
    async () => (await callApi(url, nearbyItems, "GET", nearbyPath)).items.length === catalog.length,
    importTimeoutSeconds,
    () => `${nearbyPath} must return all ${catalog.length} products`,
  );
}

/** Returns the sum of the totals of all products. */
async function sumOfStoredTotals(url: string): Promise<number> {
  let sum = 0;
  for (const { id } of catalog) {
    const { totals } = await callApi(url, productWithTotals, "GET", `/v1/products/${id}`);
    sum += sumOfCounts(totals);
  }
  return sum;
}

/**
 * Kills and restarts the whole stack at random moments while clients send events and repeat failed requests. Then waits
 * until the stores have all events, stops the stack, and compares the stores with what clients sent. `stateDir` must be an
 * empty folder. No process runs any more when this function returns or throws.
 */
export async function runKillTrial(plan: KillTrialPlan, stateDir: string): Promise<KillTrialResult> {
  const started = Date.now();
  const { onProgress } = plan;
  const random = new Random(plan.seed);
  await migrateLocalDatabases(stateDir);
  const stack = new LocalStack(await freePort(), stateDir);
  const ledger = new DeliveryLedger();
  const { url } = stack;
  const productIds = catalog.map(({ id }) => id);
  const clients = Array.from({ length: plan.clients }, (_, i) => {
    const users = Array.from({ length: plan.usersPerClient }, (_, j) => `u${i}-${j}`);
    const options = { url, key: developmentKey, ledger, random: new Random(plan.seed + 1 + i), productIds };
    return new RetryingClient(options, users);
  });
  try {
    await stack.start();
    await importCatalog(url);
    const failures: unknown[] = [];
    const running = clients.map((client) => client.run().catch((error: unknown) => failures.push(error)));
    let kills = 0;
    while (kills < plan.kills && failures.length === 0) {
      await sleep(minUptimeMs + random.next() * (plan.maxUptimeMs - minUptimeMs));
      // Every second kill waits for a share of the events, so that some kills hit a stack that has run for a while.
      const minEvents = kills % 2 === 0 ? ((kills + random.next()) / plan.kills) * plan.events : 0;
      for (
        const deadline = Date.now() + maxEventWaitMs;
        ledger.events.size < minEvents && Date.now() < deadline;
      )
        await sleep(10 + random.next() * 90);
      await stack.kill();
      kills++;
      onProgress(
        `kill ${kills} of ${plan.kills}: ${ledger.events.size} events sent, ${ledger.unansweredRequests} requests without an answer, ${Math.round((Date.now() - started) / 1000)} s`,
      );
      await stack.start();
    }
    while (ledger.events.size < plan.events && failures.length === 0) await sleep(100);
    for (const client of clients) client.stop();
    await Promise.all(running);
    onProgress(
      `every event has a receipt after ${Math.round((Date.now() - started) / 1000)} s; waiting for the stores`,
    );
    if (failures.length > 0) throw failures[0];
    const expected = [...expectedTotals(ledger.events.values()).values()];
    const expectedSum = expected.reduce((sum, totals) => sum + sumOfCounts(totals), 0);
    for (const deadline = Date.now() + deliveryTimeoutMs; Date.now() < deadline; await sleep(1000))
      if ((await sumOfStoredTotals(url)) >= expectedSum) break;
    let findings: AuditFinding[] = [];
    for (let audit = 0; audit < maxAudits; audit++) {
      // An event that the totals count may not have reached its cell or the log. It is sent again within 60 s.
      if (audit > 0) {
        onProgress(`audit ${audit} found a difference; starting the stack again`);
        await stack.start();
        await sleep(redeliveryMs);
      }
      await stack.stop();
      findings = auditStores(ledger, await readStores(stateDir, "demo"));
      if (isExactlyOnce(findings)) break;
    }
    return { ledger, kills, findings, seconds: (Date.now() - started) / 1000 };
  } finally {
    for (const client of clients) client.stop();
    await stack.kill();
  }
}
