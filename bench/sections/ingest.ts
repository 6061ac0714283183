import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../model/train/random.ts";
import { developmentKey } from "../../scripts/start/serve.ts";
import { type EventReceipt, eventTypes } from "../../shared/contracts/event.ts";
import type { BenchContext } from "../context.ts";
import { meanOnly, singleMeasurement, summarizeRates, summarizeTimes } from "../figure.ts";
import { processorSeconds } from "../workers/processes.ts";
import { type LoadPlan, runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";
import { sqliteEventsPerSecond } from "../workers/sqlite-events-per-second.ts";

const eventsPerRequest = 20;
const connections = 8;
/** Before anything is measured: code is compiled, people's objects are awake. */
const warmUpSeconds = 10;
/** Seconds of the loads beside the main one. */
const sideSeconds = 4;
/** People who are asked about first; when all they did is there, everybody is looked at. */
const sampleSize = 50;
const maxConcurrentChecks = 4;
const confirmSeconds = 120;
const pageSize = 500;

/** Events of this run that a person's history holds, as the public API shows it. */
async function countVisible(url: string, run: string, userId: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const query = `limit=${pageSize}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await fetch(`${url}/v1/users/${userId}/interactions?${query}`, {
      headers: { authorization: `Bearer ${developmentKey}` },
    });
    if (!answer.ok) throw new Error(`a history answered ${answer.status}: ${await answer.text()}`);
    const { items, nextCursor } = (await answer.json()) as {
      items: { eventId: string }[];
      nextCursor?: string;
    };
    count += items.filter(({ eventId }) => eventId.startsWith(`${run}.all.`)).length;
    cursor = nextCursor;
  } while (cursor !== undefined);
  return count;
}

/** Those of the people whose history does not hold yet what was acknowledged. */
async function usersBehind(
  url: string,
  run: string,
  expected: ReadonlyMap<string, number>,
  users: string[],
): Promise<string[]> {
  const open: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < users.length) {
      const userId = users[next++];
      if ((await countVisible(url, run, userId)) < (expected.get(userId) ?? 0)) open.push(userId);
    }
  };
  await Promise.all(Array.from({ length: maxConcurrentChecks }, lane));
  return open;
}

/**
 * Waits until all that was acknowledged is visible and answers when it was (as `performance.now()` says). First a sample
 * is watched, then everybody looked at: where nobody is behind, the sample told the moment.
 */
async function waitUntilConfirmed(
  url: string,
  run: string,
  expected: ReadonlyMap<string, number>,
): Promise<{ at: number; lost: number }> {
  const users = [...expected.keys()];
  const step = Math.max(1, Math.floor(users.length / sampleSize));
  let open = users.filter((_, i) => i % step === 0);
  const give = performance.now() + confirmSeconds * 1000;
  while (open.length > 0 && performance.now() < give) {
    open = await usersBehind(url, run, expected, open);
    if (open.length > 0) await sleep(50);
  }
  let at = performance.now();
  open = await usersBehind(url, run, expected, users);
  while (open.length > 0 && performance.now() < give) {
    at = performance.now();
    open = await usersBehind(url, run, expected, open);
  }
  let lost = 0;
  for (const userId of open) lost += (expected.get(userId) ?? 0) - (await countVisible(url, run, userId));
  return { at, lost };
}

/** Events of many people: acknowledged, and confirmed when their history shows them. */
export async function measureIngest(
  context: BenchContext,
  { url, workerd, market }: ServedCatalog,
): Promise<void> {
  const { seconds, stateDir } = context.options;
  const run = Date.now().toString(36);
  const random = new Random(Date.now() % 2 ** 31);
  const products = [...market.dataset.items.keys()];
  // They are known already: someone new costs the local runtime a new file.
  const users = [...new Set(market.pastOrigins.map(({ userId }) => userId))];
  const personOf = new Map<number, string[]>();
  const expected = new Map<string, number>();
  const body = (prefix: string, count: number) => (request: number) => {
    const chosen = Array.from({ length: count }, () => users[random.below(users.length)]);
    personOf.set(request, chosen);
    return JSON.stringify({
      events: chosen.map((userId, i) => ({
        eventId: `${run}.${prefix}.${request}.${i}`,
        userId,
        type: eventTypes[random.below(3)],
        productId: products[random.below(products.length)],
      })),
    });
  };
  const plan: LoadPlan = {
    url,
    method: "POST",
    path: "/v1/events",
    connections,
    seconds,
    expectedStatus: 202,
  };

  /** The same requests, their events without a person. */
  const malformed = (count: number, width: number) =>
    runLoad(
      {
        ...plan,
        connections: width,
        seconds: sideSeconds,
        expectedStatus: 400,
        body: (request) => body("bad", count)(request).replaceAll('"userId"', '"who"'),
      },
      developmentKey,
    );
  const warmUp = async (): Promise<void> => {
    context.log("warming up");
    await runLoad({ ...plan, seconds: warmUpSeconds, body: body("warm", eventsPerRequest) }, developmentKey);
  };
  await warmUp();
  context.log("events one by one");
  const single = await runLoad(
    { ...plan, connections: 1, seconds: sideSeconds, body: body("one", 1) },
    developmentKey,
  );
  const singleRefused = await malformed(1, 1);
  const refused = await malformed(eventsPerRequest, connections);
  // People's objects leave memory after ten seconds in which nobody asked for them.
  await warmUp();
  personOf.clear();
  context.log("events of many people");
  let rejected = 0;
  let acknowledged = 0;
  const before = workerd ? processorSeconds(workerd.pid) : Number.NaN;
  const started = performance.now();
  const outcome = await runLoad(
    {
      ...plan,
      body: body("all", eventsPerRequest),
      onAnswer(request, status, text) {
        if (status !== 202) return;
        const receipt = JSON.parse(text) as EventReceipt;
        const out = new Set(receipt.rejected.map(({ index }) => index));
        rejected += out.size;
        for (const [i, userId] of (personOf.get(request) ?? []).entries())
          if (!out.has(i)) {
            acknowledged++;
            expected.set(userId, (expected.get(userId) ?? 0) + 1);
          }
        personOf.delete(request);
      },
    },
    developmentKey,
  );
  const spent = workerd ? processorSeconds(workerd.pid) - before : Number.NaN;
  context.log("waiting until all of them are visible");
  const { at, lost } = await waitUntilConfirmed(url, run, expected);
  const confirmed = (1000 * (acknowledged - lost)) / (at - started);
  const sqlite = {
    label: "SQLite in Node, one transaction per event",
    value: sqliteEventsPerSecond(stateDir),
  };
  const gateway = {
    label: "refused as malformed",
    value: eventsPerRequest * summarizeRates(refused.rates).p50,
  };

  if (outcome.failed > 0)
    context.addNote(`ingest: ${outcome.failed} requests failed: ${outcome.failures.join("; ")}`);
  if (rejected > 0) context.addNote(`ingest: ${rejected} events were rejected`);
  context.addNote(
    `ingest: ${acknowledged.toLocaleString("en")} events of ${expected.size.toLocaleString("en")} people acknowledged, ${lost} of them not visible ${confirmSeconds} s later; all were visible ${((at - started) / 1000 - outcome.seconds).toFixed(1)} s after the last answer`,
  );
  context.figures.push(
    {
      section: "ingest",
      name: "one event acknowledged, 1 connection",
      unit: "ms",
      ...summarizeTimes(single.times),
      baseline: { label: "refused as malformed", value: summarizeTimes(singleRefused.times).p50 },
      limit: { label: sqlite.label, value: 1000 / sqlite.value },
    },
    {
      section: "ingest",
      name: `${eventsPerRequest} events acknowledged, ${connections} connections`,
      unit: "ms",
      ...summarizeTimes(outcome.times),
      baseline: { label: "refused as malformed", value: summarizeTimes(refused.times).p50 },
      limit: { label: sqlite.label, value: (1000 * eventsPerRequest) / sqlite.value },
    },
    {
      section: "ingest",
      name: "events accepted",
      unit: "per s",
      ...summarizeRates(outcome.rates.map((rate) => rate * eventsPerRequest)),
      baseline: gateway,
      limit: sqlite,
    },
    {
      section: "ingest",
      name: "processor time of an accepted event",
      unit: "ms",
      ...meanOnly((1000 * spent) / acknowledged, acknowledged),
      baseline: null,
      limit: { label: sqlite.label, value: 1000 / sqlite.value },
    },
    {
      section: "ingest",
      name: "events confirmed",
      unit: "per s",
      ...singleMeasurement(confirmed),
      baseline: gateway,
      limit: sqlite,
    },
  );
}
