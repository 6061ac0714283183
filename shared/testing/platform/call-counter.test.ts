import { describe, expect, it } from "vitest";
import { CallCounter } from "./call-counter.ts";

/** A store of one value that answers at once. */
const kv = { get: async (name: string) => name, local: () => "no call" };

/** Returns workers that call each other: `outer` calls `inner`, which reads from KV. */
function workersOf(counter: CallCounter) {
  const store = counter.store("kv", "KV", kv);
  const inner = counter.service("inner", {
    read: async (times: number) => {
      for (let i = 0; i < times; i++) await store.get("a");
      return times;
    },
  });
  const outer = {
    oneByOne: async (times: number) => {
      for (let i = 0; i < times; i++) await inner.read(1);
    },
    concurrently: (times: number) => Promise.all(Array.from({ length: times }, () => inner.read(1))),
    read: (times: number) => inner.read(times),
    local: () => store.local(),
  };
  return { store, outer };
}

describe("CallCounter", () => {
  it("counts invocations over all workers, and the calls of each invocation", async () => {
    const counter = new CallCounter();
    const { outer } = workersOf(counter);
    const { report } = await counter.run("outer", "a request", () => outer.oneByOne(3));
    expect(report).toMatchObject({ name: "a request", invocations: 4, subrequests: 3 });
    expect(report.calls.slice(0, 2)).toEqual(["outer inner.read", "inner KV.get"]);
    expect((await counter.run("outer", "local", () => outer.local())).report.subrequests).toBe(0);
    expect(counter.exceeded).toEqual([]);
  });

  it("counts the calls that follow one another before the answer", async () => {
    const counter = new CallCounter();
    const { outer, store } = workersOf(counter);
    const inTurn = async (work: () => Promise<unknown>) =>
      (await counter.run("outer", "a request", work)).report.callsInTurn;
    expect(await inTurn(() => outer.oneByOne(3))).toBe(6);
    expect(await inTurn(() => outer.concurrently(3))).toBe(2);
    expect(await inTurn(() => Promise.all([store.get("a"), store.get("b")]))).toBe(1);
    counter.hold = (call) => (call === "KV.get" ? new Promise(() => undefined) : null);
    expect(await inTurn(async () => void outer.read(1))).toBe(1);
  });

  it("refuses the calls above 32 invocations and 1,000 subrequests, and names them", async () => {
    const counter = new CallCounter();
    const { outer } = workersOf(counter);
    await counter.run("outer", "most invocations", () => outer.oneByOne(31));
    await counter.run("outer", "most reads", () => outer.read(1000));
    expect(counter.exceeded).toEqual([]);
    await expect(counter.run("outer", "a cron", () => outer.oneByOne(32))).rejects.toThrow("32");
    await expect(counter.run("outer", "a batch", () => outer.read(1001))).rejects.toThrow("1000");
    expect(counter.exceeded).toEqual([
      "a cron: inner.read is above 32 worker invocations",
      "a batch: KV.get is above 1000 subrequests",
    ]);
    counter.reset();
    expect(counter.exceeded).toEqual([]);
  });

  it("counts statements and batches of a database, and calls of objects, and gives the real ones to the real store", async () => {
    const counter = new CallCounter();
    const bound = { all: async () => ["row"], sql: "bound" };
    const statement = { bind: () => bound, all: async () => [] };
    const batches: unknown[][] = [];
    const database = counter.database("DB", {
      prepare: () => statement,
      batch: async (list: unknown[]) => {
        batches.push(list);
        return [];
      },
    });
    const objects = counter.objects("CELL", {
      idFromName: (name: string) => name,
      get: (id: string) => ({ id, read: async () => id }),
    });
    const { answer, report } = await counter.run("a", "a request", async () => {
      const prepared = database.prepare().bind();
      await database.batch([prepared]);
      return [await prepared.all(), await objects.get(objects.idFromName("x")).read(), objects.get("y").id];
    });
    expect(answer).toEqual([["row"], "x", "y"]);
    expect(batches).toEqual([[bound]]);
    expect(report).toMatchObject({ invocations: 1, subrequests: 3, callsInTurn: 3 });
    expect(report.calls).toEqual(["a DB.batch", "a DB.all", "a CELL.read"]);
  });
});
