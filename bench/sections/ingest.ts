import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../model/train/random.ts";
import { processorSeconds } from "../../scripts/processes/processor-seconds.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import { type EventReceipt, eventTypes } from "../../shared/contracts/event.ts";
import type { BenchContext } from "../context.ts";
import { meanOnly, singleMeasurement, summarizeRates, summarizeTimes } from "../figure.ts";
import { type LoadPlan, runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";
import { sqliteEventsPerSecond } from "../workers/sqlite-events-per-second.ts";

const eventsPerRequest = 20;
const connections = 8;
/** Warm-up before the measurement, in which code is compiled and the users' objects are created. */
const warmUpSeconds = 10;
/** Seconds of the loads other than the main one. */
const sideSeconds = 4;
/** Number of users who are polled first. When all their events are visible, all users are checked. */
const sampleSize = 50;
const maxConcurrentChecks = 4;
/** Timeout after which acknowledged but invisible events count as lost. */
const confirmSeconds = 120;
const pageSize = 500;

/** Returns how many events of this run a user's interactions contain, as the public API returns them. */
async function countVisible(url: string, run: string, userId: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const query = `limit=${pageSize}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const response = await fetch(`${url}/v1/users/${userId}/interactions?${query}`, {
      headers: { authorization: `Bearer ${developmentKey}` },
    });
    if (!response.ok)
      throw new Error(
        `GET /v1/users/${userId}/interactions answered ${response.status}: ${await response.text()}`,
      );
    const { items, nextCursor } = (await response.json()) as {
      items: { eventId: string }[];
      nextCursor?: string;
    };
    count += items.filter(({ eventId }) => eventId.startsWith(`${run}.all.`)).length;
    cursor = nextCursor;
  } while (cursor !== undefined);
  return count;
}

/** Returns the users whose interactions do not contain all acknowledged events yet. */
async function usersBehind(
  url: string,
  run: string,
  expected: ReadonlyMap<string, number>,
  users: string[],
): Promise<string[]> {
  const behind: string[] = [];
  await mapConcurrent(maxConcurrentChecks, users, async (userId) => {
    if ((await countVisible(url, run, userId)) < (expected.get(userId) ?? 0)) behind.push(userId);
  });
  return behind;
}

/**
 * Waits until all acknowledged events are visible. Returns the time (of `performance.now()`) and the number of lost
 * events. A sample of users is polled first, then all users are checked; if none is behind, the time of the sample
 * counts.
 */
async function waitUntilConfirmed(
  url: string,
  run: string,
  expected: ReadonlyMap<string, number>,
): Promise<{ at: number; lost: number }> {
  const users = [...expected.keys()];
  const stride = Math.max(1, Math.floor(users.length / sampleSize));
  let pending = users.filter((_, i) => i % stride === 0);
  const deadline = performance.now() + confirmSeconds * 1000;
  while (pending.length > 0 && performance.now() < deadline) {
    pending = await usersBehind(url, run, expected, pending);
    if (pending.length > 0) await sleep(50);
  }
  let at = performance.now();
  pending = await usersBehind(url, run, expected, users);
  while (pending.length > 0 && performance.now() < deadline) {
    at = performance.now();
    pending = await usersBehind(url, run, expected, pending);
  }
  let lost = 0;
  for (const userId of pending) lost += (expected.get(userId) ?? 0) - (await countVisible(url, run, userId));
  return { at, lost };
}

/**
 * Measures the ingest of events of many users: acknowledged by the API, and confirmed when the users' interactions show
 * them.
 */
export async function measureIngest(
  context: BenchContext,
  { url, workerd, market }: ServedCatalog,
): Promise<void> {
  const { seconds, stateDir } = context.options;
  const run = Date.now().toString(36);
  const random = new Random(Date.now() % 2 ** 31);
  const products = [...market.dataset.items.keys()];
  // Only existing users: for each new user the local runtime creates a file.
  const users = [...new Set(market.pastOrigins.map(({ userId }) => userId))];
  const usersByRequest = new Map<number, string[]>();
  const expected = new Map<string, number>();
  const body = (prefix: string, count: number) => (request: number) => {
    const chosen = Array.from({ length: count }, () => users[random.below(users.length)]);
    usersByRequest.set(request, chosen);
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

  /** Sends the same requests with events that lack `userId`. */
  const sendMalformed = (count: number, width: number) =>
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
    context.log("warming up the workers");
    await runLoad({ ...plan, seconds: warmUpSeconds, body: body("warm", eventsPerRequest) }, developmentKey);
  };
  await warmUp();
  context.log("sending single events");
  const single = await runLoad(
    { ...plan, connections: 1, seconds: sideSeconds, body: body("one", 1) },
    developmentKey,
  );
  const singleMalformed = await sendMalformed(1, 1);
  const malformed = await sendMalformed(eventsPerRequest, connections);
  // Warm up again: Durable Objects leave memory after ten seconds without a request.
  await warmUp();
  usersByRequest.clear();
  context.log("sending events of many users");
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
        const rejectedIndexes = new Set(receipt.rejected.map(({ index }) => index));
        rejected += rejectedIndexes.size;
        for (const [i, userId] of (usersByRequest.get(request) ?? []).entries())
          if (!rejectedIndexes.has(i)) {
            acknowledged++;
            expected.set(userId, (expected.get(userId) ?? 0) + 1);
          }
        usersByRequest.delete(request);
      },
    },
    developmentKey,
  );
  const spent = workerd ? processorSeconds(workerd.pid) - before : Number.NaN;
  context.log("waiting until all events are visible");
  const { at, lost } = await waitUntilConfirmed(url, run, expected);
  const confirmedPerSecond = (1000 * (acknowledged - lost)) / (at - started);
  const sqlite = {
    label: "SQLite in Node, one transaction per event",
    value: sqliteEventsPerSecond(stateDir),
  };
  const gateway = {
    label: "rejection of malformed events",
    value: eventsPerRequest * summarizeRates(malformed.rates).p50,
  };

  if (outcome.failed > 0)
    context.addNote(`ingest: ${outcome.failed} requests failed: ${outcome.failures.join("; ")}`);
  if (rejected > 0) context.addNote(`ingest: ${rejected} events were rejected`);
  context.addNote(
    `ingest: ${acknowledged.toLocaleString("en")} events of ${expected.size.toLocaleString("en")} users acknowledged, ${lost} of them not visible after ${confirmSeconds} s; the others were visible ${((at - started) / 1000 - outcome.seconds).toFixed(1)} s after the last answer`,
  );
  context.figures.push(
    {
      section: "ingest",
      name: "one event acknowledged, 1 connection",
      unit: "ms",
      ...summarizeTimes(single.times),
      baseline: { label: "rejection of malformed events", value: summarizeTimes(singleMalformed.times).p50 },
      limit: { label: sqlite.label, value: 1000 / sqlite.value },
    },
    {
      section: "ingest",
      name: `${eventsPerRequest} events acknowledged, ${connections} connections`,
      unit: "ms",
      ...summarizeTimes(outcome.times),
      baseline: { label: "rejection of malformed events", value: summarizeTimes(malformed.times).p50 },
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
      name: "processor time per accepted event",
      unit: "ms",
      ...meanOnly((1000 * spent) / acknowledged, acknowledged),
      baseline: null,
      limit: { label: sqlite.label, value: 1000 / sqlite.value },
    },
    {
      section: "ingest",
      name: "events confirmed",
      unit: "per s",
      ...singleMeasurement(confirmedPerSecond),
      baseline: gateway,
      limit: sqlite,
    },
  );
}
