import { describe, expect, it } from "vitest";
import type { ReadinessReport } from "../readiness.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

describe("/readyz", () => {
  it("answers 503 while an import runs or a worker does not answer", async () => {
    const services = inMemoryServices();
    const { call } = createTestGateway({ services });
    const ready = async () => {
      const answer = await call("GET", "/readyz", { key: "" });
      return [answer.status, await answer.json<ReadinessReport>()] as const;
    };
    const reportProgress = (status: string, done: number) =>
      call("PUT", "/v1/imports/demo", { body: { status, done, total: 10 } });

    await reportProgress("running", 4);
    const [status, report] = await ready();
    expect(status).toBe(503);
    expect(report.imports).toMatchObject([{ name: "demo", done: 4, total: 10 }]);
    await reportProgress("done", 10);
    expect((await ready())[0]).toBe(200);

    services.location.ready = async () => {
      throw new Error("down");
    };
    const [down, failing] = await ready();
    expect(down).toBe(503);
    expect(failing.workers.location).toEqual({ ready: false, detail: "does not answer" });
    expect(failing.workers.user.ready).toBe(true);
  });
});
