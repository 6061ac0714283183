import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Random } from "../../model/train/random.ts";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { developmentKey } from "../../scripts/start/serve.ts";
import { productWithTotals } from "../../shared/contracts/product.ts";
import { asLines, lima, oslo, productsAround } from "../products.ts";
import { audit, type Finding, isWhole } from "./audit.ts";
import { Client } from "./client.ts";
import { Ledger } from "./ledger.ts";
import { freePort, RunningStack } from "./running-stack.ts";
import { heldIn } from "./stores.ts";

/** How hard to try. */
export interface TrialPlan {
  seed: number;
  kills: number;
  /** Different events that are sent at least. */
  events: number;
  clients: number;
  userEach: number;
  /** The stack lives at most so long after its door opened, in milliseconds. */
  longestLifeMs: number;
  /** Hears of progress, in one line. */
  report(line: string): void;
}

/** What came of it. */
export interface TrialOutcome {
  ledger: Ledger;
  kills: number;
  findings: Finding[];
  seconds: number;
}

const shortestLifeMs = 100;
/** A life that waits for events ends at the latest after this, even if none come. */
const longestWaitMs = 60_000;
const catalog = [...productsAround("oslo", oslo, 40), ...productsAround("lima", lima, 20)];
/** How long stores may take to hold what was told, once nothing is killed any more; what was lost on the way is sent again after 60 s. */
const settleMs = 240_000;
const rounds = 8;

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

async function load(url: string): Promise<void> {
  await call(url, "POST", "/v1/products/bulk", asLines(catalog), "application/x-ndjson");
  for (const give = Date.now() + 60_000; Date.now() < give; await sleep(200)) {
    const { items } = nearbyItems.parse(
      await call(url, "GET", `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}&limit=60`),
    );
    if (items.length === catalog.length) return;
  }
  throw new Error("the places never knew all products");
}

/** Interactions that the totals of all products count. */
async function counted(url: string): Promise<number> {
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
export async function trial(plan: TrialPlan, stateDir: string): Promise<TrialOutcome> {
  const started = Date.now();
  const { report } = plan;
  const random = new Random(plan.seed);
  await migrateLocalDatabases(stateDir);
  const stack = new RunningStack(await freePort(), stateDir);
  const ledger = new Ledger();
  const { url } = stack;
  const productIds = catalog.map(({ id }) => id);
  const clients = Array.from({ length: plan.clients }, (_, i) => {
    const users = Array.from({ length: plan.userEach }, (_, j) => `u${i}-${j}`);
    const around = { url, key: developmentKey, ledger, random: new Random(plan.seed + 1 + i), productIds };
    return new Client(around, users);
  });
  try {
    await stack.start();
    await load(url);
    const failures: unknown[] = [];
    const running = clients.map((client) => client.run().catch((error: unknown) => failures.push(error)));
    let kills = 0;
    while (kills < plan.kills && failures.length === 0) {
      await sleep(shortestLifeMs + random.next() * (plan.longestLifeMs - shortestLifeMs));
      // Every second life goes on until as many events are under way as there should be by now: not all are kills of a
      // stack that has hardly begun.
      const due = kills % 2 === 0 ? ((kills + random.next()) / plan.kills) * plan.events : 0;
      for (const give = Date.now() + longestWaitMs; ledger.events.size < due && Date.now() < give; )
        await sleep(10 + random.next() * 90);
      await stack.kill();
      kills++;
      report(
        `kill ${kills} of ${plan.kills}: ${ledger.events.size} events sent, ${ledger.lostAnswers} answers lost, ${Math.round((Date.now() - started) / 1000)} s`,
      );
      await stack.start();
    }
    while (ledger.events.size < plan.events && failures.length === 0) await sleep(100);
    for (const client of clients) client.end();
    await Promise.all(running);
    report(`all is told after ${Math.round((Date.now() - started) / 1000)} s; waiting for the stores`);
    if (failures.length > 0) throw failures[0];
    for (const give = Date.now() + settleMs; Date.now() < give; await sleep(1000))
      if ((await counted(url)) >= ledger.events.size) break;
    let findings: Finding[] = [];
    for (let round = 0; round < rounds; round++) {
      // A row that had reached the totals may have been lost before its cell or the log: it is sent again within 60 s.
      if (round > 0) {
        report("not at rest yet; once more");
        await stack.start();
        await sleep(25_000);
      }
      await stack.stop();
      findings = audit(ledger, await heldIn(stateDir, "demo"));
      if (isWhole(findings)) break;
    }
    return { ledger, kills, findings, seconds: (Date.now() - started) / 1000 };
  } finally {
    for (const client of clients) client.end();
    await stack.kill();
  }
}
