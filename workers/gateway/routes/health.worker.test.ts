import { describe, expect, it } from "vitest";
import type { ReadinessReport } from "../readiness.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway, testSettings } from "../testing/test-gateway.ts";

/** A gateway, with functions that ask for its readiness and report an import. */
function createReadinessGateway(overrides: Parameters<typeof createTestGateway>[0] = {}) {
  const gateway = createTestGateway(overrides);
  const { call } = gateway;
  return {
    ...gateway,
    ready: async () => {
      const answer = await call("GET", "/readyz", { key: "" });
      return [answer.status, await answer.json<ReadinessReport>()] as const;
    },
    reportProgress: (name: string, status: string, done: number, more: object = {}, key?: string) =>
      call("PUT", `/v1/imports/${name}`, { body: { status, done, total: 10, ...more }, key }),
  };
}

const startedAt = Math.floor(Date.now() / 1000);
const initialImport = (name: string) => ({
  settings: { ...testSettings, initialImport: { name, since: startedAt } },
});

describe("/readyz", () => {
  it("files: answers 503 from the first moment until the initial import is done", async () => {
    const { ready, reportProgress } = createReadinessGateway(initialImport("first"));
    const [before, beforeReport] = await ready();
    expect(before).toBe(503);
    expect(beforeReport).toMatchObject({ ready: false, imports: [{ name: "first", done: 0 }] });
    await reportProgress("first", "running", 4);
    const [status, report] = await ready();
    expect(status).toBe(503);
    expect(report.imports).toMatchObject([{ name: "first", done: 4, total: 10 }]);
    await reportProgress("first", "done", 10);
    expect((await ready())[0]).toBe(200);
  });

  it("files: does not take the report of an earlier start for that of this one", async () => {
    const { reportProgress } = createReadinessGateway();
    await reportProgress("again", "failed", 4, { reason: "the connection failed" });
    const later = { name: "again", since: startedAt + 3600 };
    const { ready } = createReadinessGateway({ settings: { ...testSettings, initialImport: later } });
    expect((await ready())[0]).toBe(503);
  });

  it("files: a failed import says why, blocks nothing, and can be run again", async () => {
    const { ready, reportProgress, call } = createReadinessGateway(initialImport("broken"));
    await reportProgress("broken", "failed", 4, { reason: "the API answered 413" });
    expect((await ready())[0]).toBe(200);
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

  it("files: an import of one application blocks no other, and only its own application sees it", async () => {
    const { ready, reportProgress, call } = createReadinessGateway();
    const { key } = await (
      await call("POST", "/v1/keys", { body: { application: "other", role: "admin" } })
    ).json<{ key: string }>();
    await reportProgress("of-other", "running", 1, {}, key);
    await reportProgress("later", "running", 1);
    const [status, report] = await ready();
    expect(status).toBe(200);
    expect(report.imports).toEqual([]);
    const names = async (as?: string) =>
      (await (await call("GET", "/v1/imports", { key: as })).json<{ items: { name: string }[] }>()).items.map(
        ({ name }) => name,
      );
    expect(await names(key)).toEqual(["of-other"]);
    expect(await names()).not.toContain("of-other");
  });

  it("answers 503 while a worker does not answer", async () => {
    const services = inMemoryServices();
    services.location.ready = async () => {
      throw new Error("down");
    };
    const { ready } = createReadinessGateway({ services });
    const [down, failing] = await ready();
    expect(down).toBe(503);
    expect(failing.workers.location).toEqual({ ready: false, detail: "does not answer" });
    expect(failing.workers.user.ready).toBe(true);
  });
});
