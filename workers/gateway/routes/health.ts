import { createRoute, z } from "@hono/zod-openapi";
import type { ReadinessApi } from "../../../shared/contracts/services.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { jsonResponse, noQuery, problemResponses } from "../openapi/operation.ts";
import { readinessReport } from "../readiness.ts";

const report = readinessReport.meta({ id: "Readiness" });
const tags = ["Operations"];

/** An import that was not heard of for so long is not waited for. Seconds. */
const importTimeoutSeconds = 3600;

/** A worker's word; silence and errors are a no. */
const readinessOf = async (worker: ReadinessApi) => {
  try {
    const { ready, detail } = await worker.ready();
    return { ready, detail };
  } catch {
    return { ready: false, detail: "does not answer" };
  }
};

/** Whether the house stands, and whether it can serve. */
export function addHealthRoutes(app: Gateway, { services, store, now }: Dependencies): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/healthz",
      summary: "Whether the gateway is up",
      tags,
      request: { query: noQuery },
      responses: { 200: jsonResponse("Up.", z.object({ status: z.literal("ok") })), ...problemResponses },
    }),
    (c) => c.json({ status: "ok" as const }, 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/readyz",
      summary: "Whether everything is in place: workers, databases, model, imports",
      tags,
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Ready.", report),
        503: jsonResponse("Not yet, and why.", report),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { recommendation, user, product, location, trainer } = services;
      const [imports, ...answers] = await Promise.all([
        store.listUnfinishedImports(Math.floor(now() / 1000) - importTimeoutSeconds).catch(() => null),
        readinessOf(recommendation),
        readinessOf(user),
        readinessOf(product),
        readinessOf(location),
        readinessOf(trainer),
      ]);
      const names = ["recommendation", "user", "product", "location", "trainer"];
      const gateway = {
        ready: imports !== null,
        detail: imports === null ? "the database does not answer or is not migrated" : "up",
      };
      const workers = {
        gateway,
        ...Object.fromEntries(answers.map((answer, i) => [names[i], answer])),
      };
      const running = imports ?? [];
      const ready =
        Object.values(workers).every((worker) => worker.ready) &&
        running.every(({ status }) => status !== "running");
      return c.json({ ready, workers, imports: running }, ready ? 200 : 503);
    },
  );
}
