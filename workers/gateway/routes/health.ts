import { createRoute, z } from "@hono/zod-openapi";
import type { ReadinessApi } from "../../../shared/services/worker-api.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { jsonResponse, noQuery, problemResponses } from "../openapi/operation.ts";
import { readinessReport } from "../readiness.ts";

const report = readinessReport.meta({ id: "Readiness" });
const tags = ["Operations"];

/** `/readyz` stops waiting for a running import that has not reported for this long. */
const importTimeoutSeconds = 3600;

/** Returns a worker's readiness. A worker that fails or does not answer is not ready. */
const readinessOf = async (worker: ReadinessApi) => {
  try {
    const { ready, detail } = await worker.ready();
    return { ready, detail };
  } catch {
    return { ready: false, detail: "does not answer" };
  }
};

/** Adds `/healthz` and `/readyz`. */
export function addHealthRoutes(app: Gateway, { services, store, now }: Dependencies): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/healthz",
      summary: "Check that the gateway is up",
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
      summary: "Check that the service is ready: workers, databases, model and imports",
      tags,
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Ready.", report),
        503: jsonResponse("Not ready, and why.", report),
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
        detail: imports === null ? "the gateway database cannot be read: apply migrations/gateway" : "up",
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
