/// <reference types="@cloudflare/vitest-plugin/types" />
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterAll, expect, it, vi } from "vitest";
import type { Cell } from "../../durable-objects/cell/cell.ts";
import { cellStub } from "../../durable-objects/cell/cell-stub.ts";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import type { EventInput } from "../../shared/contracts/event.ts";
import { emptyTotals } from "../../shared/contracts/totals.ts";
import { leafCellAt, parentCell } from "../../shared/geo/cells.ts";
import { countRowsWritten } from "../../shared/testing/rows-written.ts";
import { bindings, type EventPipeline, productIds } from "./event-pipeline.ts";
import { faults, queuedMessages } from "./fault-injector.ts";
import { isLong, newPipeline, prepareFaultTests } from "./set-up.ts";

// Counts what events cost, from the request to the tile of the world, on the code that serves.

prepareFaultTests();

/** Prices in dollars for a million, as Cloudflare lists them in November 2026, without included volumes. */
const prices = {
  workerRequests: 0.3,
  objectRequests: 0.15,
  userRows: 1,
  cellRows: 1,
  databaseRows: 1,
  queueOperations: 0.4,
  bucketWrites: 4.5,
  keyWrites: 5,
};
type Counted = Record<keyof typeof prices, number>;

/** What is not counted here, in dollars for a million events: KV reads of facts, processor time, duration of objects. */
const notCounted = 0.09;

/** Messages of other places with which a lone message of a quiet place shares a batch, and so the write of the training log. */
const messagesPerBatch = 20;
/** Writes, reads and deletions of a message, each billed as an operation. */
const operationsOfMessage = 3;
const oslo = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(oslo, 0);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The cells of the products' place, the leaf first. */
const path: string[] = [];
for (let cell: string | null = leaf; cell !== null; cell = parentCell(cell)) path.push(cell);

/** Returns a namespace that counts the calls of its objects. */
function counted<T extends Rpc.DurableObjectBranded>(
  objects: DurableObjectNamespace<T>,
  onCall: () => void,
): DurableObjectNamespace<T> {
  const get = (...args: Parameters<DurableObjectNamespace<T>["get"]>) => {
    const stub = objects.get(...args) as unknown as Record<string, (...args: unknown[]) => unknown>;
    return new Proxy(stub, {
      get: (_, name: string) =>
        name === "id" || name === "name"
          ? stub[name]
          : (...args: unknown[]) => {
              onCall();
              return stub[name](...args);
            },
    });
  };
  return {
    get,
    idFromName: (name: string) => objects.idFromName(name),
    idFromString: (id: string) => objects.idFromString(id),
  } as unknown as DurableObjectNamespace<T>;
}

/** How events arrive. */
interface Scenario {
  name: string;
  /** Requests, and events in each, of users who each have one event in a request. */
  requests: number;
  eventsPerRequest: number;
  intervalMs: number;
  users: number;
  /** Interactions that the cell counted before. */
  history: number;
}

const rows: string[] = [];
afterAll(() =>
  console.log(
    [
      "| a million events | requests of objects | rows of users' objects | rows of cells | rows of D1 | queue operations | R2 writes | KV writes | all, $ |",
      `|${" --- |".repeat(9)}`,
      ...rows,
    ].join("\n"),
  ),
);

/** Runs the alarms of users' objects and cells that are due. */
async function runDueAlarms(stubs: readonly DurableObjectStub[], onRun: () => void): Promise<void> {
  for (const stub of stubs) {
    const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
    if (at === null || at > Date.now()) continue;
    onRun();
    await runDurableObjectAlarm(stub);
  }
}

/** Sends the events of a scenario through the real code, and returns what they caused, for each event. */
async function countEvents(scenario: Scenario): Promise<Counted> {
  const { requests, eventsPerRequest, intervalMs, users, history } = scenario;
  const total: Counted = {
    workerRequests: requests,
    ...{
      objectRequests: 0,
      userRows: 0,
      cellRows: 0,
      databaseRows: 0,
      queueOperations: 0,
      bucketWrites: 0,
      keyWrites: 0,
    },
  };
  const onCall = (): void => {
    total.objectRequests++;
  };
  // A time ahead of the machine's clock: no alarm runs by itself.
  vi.setSystemTime(Date.UTC(2100, 0, 4, 12));
  const { CELL, USER_SESSION } = bindings;
  for (const database of [bindings.DB, bindings.DB_1]) {
    const batch = database.batch.bind(database);
    vi.spyOn(database, "batch").mockImplementation(async (statements) => {
      const results = await batch(statements);
      for (const { meta } of results) total.databaseRows += meta.rows_written;
      return results as never;
    });
  }
  Reflect.set(bindings, "CELL", counted(CELL, onCall));
  Reflect.set(bindings, "USER_SESSION", counted(USER_SESSION, onCall));
  let pipeline: EventPipeline;
  try {
    pipeline = await newPipeline();
  } finally {
    Reflect.set(bindings, "CELL", CELL);
    Reflect.set(bindings, "USER_SESSION", USER_SESSION);
  }
  const { application } = pipeline;
  const cells = path.map((cell) => cellStub(CELL, application, cell));
  const sessions = Array.from({ length: users }, (_, i) =>
    userSessionStub(USER_SESSION, application, `u${i}`, null),
  );
  await cellStub(CELL, application, leaf).applyTotals(
    application,
    leaf,
    productIds.map((productId) => ({
      productId,
      complete: true,
      hours: [{ ...emptyTotals(), view: Math.floor(history / productIds.length), people: 1, hour: 472_222 }],
    })),
    [],
  );
  const everything = [...sessions, ...cells] as unknown as DurableObjectStub[];
  const sendAll = async (round: number): Promise<void> => {
    const events = Array.from({ length: eventsPerRequest }, (_, i): EventInput => {
      const n = round * eventsPerRequest + i;
      return {
        ...{ eventId: `e${n}`, userId: `u${n % users}`, type: "view", location: oslo },
        ...{ productId: productIds[n % productIds.length], timestamp: new Date().toISOString() },
      };
    });
    await pipeline.send(events);
    total.queueOperations += operationsOfMessage * queuedMessages.length;
    await pipeline.deliverMessages(() => true);
    await pipeline.confirmDelivered();
  };
  // What happens once: the first events of users, and what the cells published of the history.
  for (let round = 0; round < Math.ceil(users / eventsPerRequest); round++) await sendAll(requests + round);
  for (let round = 0; round < 3 * path.length; round++) {
    vi.setSystemTime(Date.now() + 60_000);
    await runDueAlarms(everything, () => undefined);
  }
  vi.setSystemTime(Date.now() + dayMs + hourMs);
  for (let round = 0; round < path.length; round++) await runDueAlarms(everything, () => undefined);
  for (const cell of cells)
    await runInDurableObject(cell, (instance: Cell) => {
      const env = Reflect.get(instance, "env") as { CELL: typeof CELL };
      Object.assign(instance, { env: { ...env, CELL: counted(CELL, onCall) } });
    });
  const rowsOf = await Promise.all(
    everything.map((stub) => runInDurableObject(stub, (_, { storage }) => countRowsWritten(storage))),
  );
  faults.calls.clear();
  Object.assign(total, { objectRequests: 0, databaseRows: 0, queueOperations: 0 });
  const logWrites = vi.spyOn(bindings.TRAINING_LOG, "put");
  for (let round = 0; round < requests; round++) {
    vi.setSystemTime(Date.now() + intervalMs);
    await runDueAlarms(everything, onCall);
    await sendAll(round);
  }
  // The rows of users are deleted after eight days, and all that waits is published.
  for (let hours = 0; hours < 9 * 24; hours += 6) {
    vi.setSystemTime(Date.now() + 6 * hourMs);
    await runDueAlarms(everything, onCall);
  }
  for (const [i, count] of rowsOf.entries()) {
    const { rows: written, alarms } = count();
    total[i < sessions.length ? "userRows" : "cellRows"] += written + alarms;
  }
  total.bucketWrites = logWrites.mock.calls.length / (eventsPerRequest === 1 ? messagesPerBatch : 1);
  total.keyWrites = faults.calls.get("tiles") ?? 0;
  const events = requests * eventsPerRequest;
  return Object.fromEntries(Object.entries(total).map(([name, count]) => [name, count / events])) as Counted;
}

/** Returns the dollars for a million events, and adds a row to the table. */
async function costOf(scenario: Scenario): Promise<number> {
  const each = await countEvents(scenario);
  const cost =
    notCounted +
    Object.entries(prices).reduce((sum, [name, price]) => sum + price * each[name as keyof Counted], 0);
  const { objectRequests, userRows, cellRows, databaseRows, queueOperations, bucketWrites, keyWrites } = each;
  const columns = [
    objectRequests,
    userRows,
    cellRows,
    databaseRows,
    queueOperations,
    bucketWrites,
    keyWrites,
    cost,
  ];
  rows.push(`| ${[scenario.name, ...columns.map((value) => value.toFixed(2))].join(" | ")} |`);
  return cost;
}

it("a million events cost at most 15 $ in a quiet place, where one comes an hour", async () => {
  const quiet = {
    name: "one an hour in its cell",
    requests: isLong ? 240 : 48,
    eventsPerRequest: 1,
    users: 8,
  };
  expect(await costOf({ ...quiet, intervalMs: hourMs, history: 4000 })).toBeLessThanOrEqual(15);
}, 600_000);

it("a million events cost at most 9 $ in a busy place, where ten come a second", async () => {
  const busy = {
    name: "ten a second in one cell, 20 in a request",
    requests: isLong ? 120 : 10,
    eventsPerRequest: 20,
  };
  expect(
    await costOf({ ...busy, users: isLong ? 100 : 40, intervalMs: 2000, history: 4000 }),
  ).toBeLessThanOrEqual(9);
}, 600_000);
