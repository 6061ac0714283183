import { describe, expect, it } from "vitest";
import { createReadinessCheck } from "../check-readiness.ts";
import type { ReadinessReport } from "../readiness.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway, testSettings } from "../testing/test-gateway.ts";

/** A gateway whose clock stands still, with functions that ask for its readiness and report an import. */
function createReadinessGateway(overrides: Parameters<typeof createTestGateway>[0] = {}) {
  let time = Date.now();
  const gateway = createTestGateway({ now: () => time, ...overrides });
  const { call } = gateway;
  return {
    ...gateway,
    pass: (ms: number) => {
      time += ms;
    },
    /** Asks as a stranger, after the last answer is too old. */
    status: async () => {
      time += 1000;
      return (await call("GET", "/readyz", { key: "" })).status;
    },
    report: async (key?: string) => (await call("GET", "/v1/readiness", { key })).json<ReadinessReport>(),
    reportProgress: (name: string, status: string, done: number, more: object = {}, key?: string) =>
      call("PUT", `/v1/imports/${name}`, { body: { status, done, total: 10, ...more }, key }),
    createOther: async () =>
      (
        await (
          await call("POST", "/v1/keys", { body: { application: "other", role: "admin" } })
        ).json<{ key: string }>()
      ).key,
  };
}

const startedAt = Math.floor(Date.now() / 1000);
const initialImport = (name: string) => ({
  settings: { ...testSettings, initialImport: { name, since: startedAt } },
});

/** Services that count how often they are asked whether they are ready. */
function countedServices() {
  const services = inMemoryServices();
  const asked: (string | null)[] = [];
  for (const service of Object.values(services))
    service.ready = async (application: string | null) => {
      asked.push(application);
      return { ready: true, detail: "ready" };
    };
  return { services, asked };
}

describe("/readyz", () => {
  it("S13: says one word to strangers, and names no worker, import or application", async () => {
    const services = inMemoryServices();
    const { call, status, reportProgress } = createReadinessGateway({ services });
    await reportProgress("secret-name", "running", 1);
    expect(await status()).toBe(200);
    expect(await (await call("GET", "/readyz", { key: "" })).json()).toEqual({ status: "ready" });
    services.location.ready = async () => {
      throw new Error("down");
    };
    expect(await status()).toBe(503);
    const answer = await call("GET", "/readyz", { key: "" });
    expect([...answer.headers].join()).not.toMatch(/vicinity-|secret-name|demo/);
    expect(await answer.json()).toEqual({ status: "not ready" });
    await reportProgress("secret-name", "done", 10);
  });

  it("S13: asks the workers once a second, however many strangers ask", async () => {
    const { services, asked } = countedServices();
    const { call, pass } = createReadinessGateway({ services });
    await call("GET", "/readyz", { key: "" });
    const once = asked.length;
    expect(new Set(asked)).toEqual(new Set([null]));
    await Promise.all(Array.from({ length: 50 }, () => call("GET", "/readyz", { key: "" })));
    pass(999);
    await call("GET", "/readyz", { key: "" });
    expect(asked).toHaveLength(once);
    pass(1);
    await Promise.all(Array.from({ length: 50 }, () => call("GET", "/readyz", { key: "" })));
    expect(asked).toHaveLength(2 * once);
  });

  it("S13: is not ready while a worker does not answer, and asks a bounded number of times before its first answer", async () => {
    const { services, asked } = countedServices();
    const time = { at: 0 };
    const { dependencies } = createTestGateway({ services, now: () => time.at });
    const isReady = createReadinessCheck(dependencies, 20);
    expect(await isReady()).toBe(true);
    services.location.ready = () => new Promise(() => undefined);
    time.at = 1000;
    const [asking, others] = [isReady(), isReady()];
    expect(await others).toBe(true);
    expect(await asking).toBe(false);
    expect(await isReady()).toBe(false);

    const before = asked.length;
    const first = createReadinessCheck(dependencies, 20);
    expect(await Promise.all(Array.from({ length: 50 }, first))).toEqual(Array(50).fill(false));
    const answering = Object.keys(services).length - 1;
    expect(asked.length - before).toBe(10 * answering);
  });

  it("files: answers 503 from the first moment until the initial import is done", async () => {
    const { status, report, reportProgress } = createReadinessGateway(initialImport("first"));
    expect(await status()).toBe(503);
    expect(await report()).toMatchObject({ ready: false, imports: [{ name: "first", done: 0 }] });
    await reportProgress("first", "running", 4);
    expect(await status()).toBe(503);
    expect((await report()).imports).toMatchObject([{ name: "first", done: 4, total: 10 }]);
    await reportProgress("first", "done", 10);
    expect([await status(), await report()]).toMatchObject([200, { ready: true, imports: [] }]);
  });

  it("files: does not take the report of an earlier start for that of this one", async () => {
    const { reportProgress } = createReadinessGateway();
    await reportProgress("again", "failed", 4, { reason: "the connection failed" });
    const later = { name: "again", since: startedAt + 3600 };
    const { status } = createReadinessGateway({ settings: { ...testSettings, initialImport: later } });
    expect(await status()).toBe(503);
  });

  it("files: a failed import says why, blocks nothing, and can be run again", async () => {
    const { status, reportProgress, call } = createReadinessGateway(initialImport("broken"));
    await reportProgress("broken", "failed", 4, { reason: "the API answered 413" });
    expect(await status()).toBe(200);
    const find = async () =>
      (await (await call("GET", "/v1/imports")).json<{ items: { name: string }[] }>()).items.find(
        ({ name }) => name === "broken",
      );
    expect(await find()).toMatchObject({ status: "failed", done: 4, reason: "the API answered 413" });
    await reportProgress("broken", "running", 0);
    expect(await find()).toMatchObject({ status: "running", reason: null });
    await reportProgress("broken", "done", 10);
    expect(await find()).toMatchObject({ status: "done", done: 10, reason: null });
  });

  it("S13: an import of one application blocks no other, and only its own application sees it", async () => {
    const { status, report, reportProgress, call, createOther } = createReadinessGateway();
    const key = await createOther();
    await reportProgress("of-other", "running", 1, {}, key);
    await reportProgress("later", "running", 1);
    expect(await status()).toBe(200);
    const namesIn = (imports: { name: string }[]) => imports.map(({ name }) => name);
    expect(await report(key)).toMatchObject({ ready: true, imports: [{ name: "of-other" }] });
    expect(namesIn((await report()).imports)).not.toContain("of-other");
    const names = async (as?: string) =>
      namesIn(
        (await (await call("GET", "/v1/imports", { key: as })).json<{ items: { name: string }[] }>()).items,
      );
    expect(await names(key)).toEqual(["of-other"]);
    expect(await names()).not.toContain("of-other");
  });

  it("S13: the first import of the local start blocks no other application", async () => {
    const { report, createOther } = createReadinessGateway(initialImport("large"));
    expect((await report()).ready).toBe(false);
    expect((await report(await createOther())).ready).toBe(true);
  });
});

describe("/v1/readiness", () => {
  it("says which worker does not answer, and asks for the caller's application", async () => {
    const { services, asked } = countedServices();
    const { report } = createReadinessGateway({ services });
    expect(await report()).toMatchObject({
      ready: true,
      workers: { user: { ready: true, detail: "ready" } },
    });
    expect(new Set(asked)).toEqual(new Set(["demo"]));
    services.location.ready = async () => {
      throw new Error("down");
    };
    const failing = await report();
    expect(failing.ready).toBe(false);
    expect(failing.workers.location).toEqual({ ready: false, detail: "does not answer" });
  });
});
