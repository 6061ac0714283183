import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Random } from "../../model/train/random.ts";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { developmentKey } from "../../scripts/start/serve.ts";
import { productWithTotals } from "../../shared/contracts/product.ts";
import { freePort } from "../free-port.ts";
import { toNdjson } from "../ndjson.ts";
import { generateProducts, lima, oslo } from "../products.ts";
import { type AuditFinding, auditStores, isExactlyOnce } from "./audit-stores.ts";
import { DeliveryLedger } from "./delivery-ledger.ts";
import { DevServer } from "./dev-server.ts";
import { readStores } from "./read-stores.ts";
import { RetryingClient } from "./retrying-client.ts";

/** How hard to try. */
export interface KillTrialPlan {
  seed: number;
  kills: number;
  /** Different events that are sent at least. */
  events: number;
  clients: number;
  usersPerClient: number;
  /** The stack lives at most so long after its door opened, in milliseconds. */
  maxUptimeMs: number;
  /** Hears of progress, in one line. */
  onProgress(line: string): void;
}

/** What came of it. */
export interface KillTrialResult {
  ledger: DeliveryLedger;
  kills: number;
  findings: AuditFinding[];
  seconds: number;
}

const minUptimeMs = 100;
/** A life that waits for events ends at the latest after this, even if none come. */
const maxEventWaitMs = 60_000;
const catalog = [...generateProducts("oslo", oslo, 40), ...generateProducts("lima", lima, 20)];
/** How long stores may take to hold what was told, once nothing is killed any more; what was lost on the way is sent again after 60 s. */
const deliveryTimeoutMs = 240_000;
const maxAudits = 8;

async function call(url: string, method: string, path: string, body?: string, type?: string) {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, ...(type ? { "content-type": type } : {}) },
    body,
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const nearbyItems = z.object({ items: z.array(z.unknown()) });

async function importCatalog(url: string): Promise<void> {
  await call(url, "POST", "/v1/products/bulk", toNdjson(catalog), "application/x-ndjson");
  for (const give = Date.now() + 60_000; Date.now() < give; await sleep(200)) {
    const { items } = nearbyItems.parse(
      await call(url, "GET", `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}&limit=60`),
    );
    if (items.length === catalog.length) return;
  }
  throw new Error("the places never knew all products");
}

/** Interactions that the totals of all products count. */
async function countInteractions(url: string): Promise<number> {
  let sum = 0;
  for (const { id } of catalog) {
    const { totals } = productWithTotals.parse(await call(url, "GET", `/v1/products/${id}`));
    sum += totals.view + totals.click + totals.cart + totals.purchase + totals.dismiss;
  }
  return sum;
}

/**
 * Clients send what people do, and send again what was not answered, while the whole stack is killed at random moments
 * and started again. Then everything comes to rest, and what clients were told is compared with what the stores hold.
 * `stateDir` is an empty folder of its own; nothing is left running, however this ends.
 */
export async function runKillTrial(plan: KillTrialPlan, stateDir: string): Promise<KillTrialResult> {
  const started = Date.now();
  const { onProgress: report } = plan;
  const random = new Random(plan.seed);
  await migrateLocalDatabases(stateDir);
  const stack = new DevServer(await freePort(), stateDir);
  const ledger = new DeliveryLedger();
  const { url } = stack;
  const productIds = catalog.map(({ id }) => id);
  const clients = Array.from({ length: plan.clients }, (_, i) => {
    const users = Array.from({ length: plan.usersPerClient }, (_, j) => `u${i}-${j}`);
    const around = { url, key: developmentKey, ledger, random: new Random(plan.seed + 1 + i), productIds };
    return new RetryingClient(around, users);
  });
  try {
    await stack.start();
    await importCatalog(url);
    const failures: unknown[] = [];
    const running = clients.map((client) => client.run().catch((error: unknown) => failures.push(error)));
    let kills = 0;
    while (kills < plan.kills && failures.length === 0) {
      await sleep(minUptimeMs + random.next() * (plan.maxUptimeMs - minUptimeMs));
      // Every second life goes on until as many events are under way as there should be by now: not all are kills of a
      // stack that has hardly begun.
      const due = kills % 2 === 0 ? ((kills + random.next()) / plan.kills) * plan.events : 0;
      for (const give = Date.now() + maxEventWaitMs; ledger.events.size < due && Date.now() < give; )
        await sleep(10 + random.next() * 90);
      await stack.kill();
      kills++;
      report(
        `kill ${kills} of ${plan.kills}: ${ledger.events.size} events sent, ${ledger.unansweredRequests} answers lost, ${Math.round((Date.now() - started) / 1000)} s`,
      );
      await stack.start();
    }
    while (ledger.events.size < plan.events && failures.length === 0) await sleep(100);
    for (const client of clients) client.stop();
    await Promise.all(running);
    report(`all is told after ${Math.round((Date.now() - started) / 1000)} s; waiting for the stores`);
    if (failures.length > 0) throw failures[0];
    for (const give = Date.now() + deliveryTimeoutMs; Date.now() < give; await sleep(1000))
      if ((await countInteractions(url)) >= ledger.events.size) break;
    let findings: AuditFinding[] = [];
    for (let round = 0; round < maxAudits; round++) {
      // A row that had reached the totals may have been lost before its cell or the log: it is sent again within 60 s.
      if (round > 0) {
        report("not at rest yet; once more");
        await stack.start();
        await sleep(25_000);
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
