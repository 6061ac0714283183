import { createRoute, z } from "@hono/zod-openapi";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { ReadinessApi } from "../../../shared/services/worker-api.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { developmentApplication } from "../keys/authenticator.ts";
import { jsonResponse, noQuery, problemResponses } from "../openapi/operation.ts";
import { type ImportRecord, readinessReport } from "../readiness.ts";

const report = readinessReport.meta({ id: "Readiness" });
const tags = ["Operations"];

/** Returns a worker's readiness. A worker that fails or does not answer is not ready. */
const readinessOf = async (worker: ReadinessApi) => {
  try {
    const { ready, detail } = await worker.ready();
    return { ready, detail };
  } catch {
    return { ready: false, detail: "does not answer" };
  }
};

/**
 * Returns the initial import while `/readyz` waits for it: until it is done, or has failed. An import that was not
 * reported yet is about to begin.
 */
async function findPendingImport({ store, settings, now }: Dependencies): Promise<ImportRecord | null> {
  const { initialImport } = settings;
  if (initialImport === null) return null;
  const { name, since } = initialImport;
  const found = await store.findImport(developmentApplication, name, since);
  if (found !== null) return found.status === "running" ? found : null;
  return { name, status: "running", done: 0, total: 0, reason: null, updatedAt: toInstant(now() / 1000) };
}

/** Adds `/healthz` and `/readyz`. */
export function addHealthRoutes(app: Gateway, dependencies: Dependencies): void {
  const { services, store } = dependencies;
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
      summary: "Check that the service is ready: workers, databases, model and the initial import",
      description:
        "No other import is waited for: the service answers while an application imports. `GET /v1/imports` lists the imports of an application.",
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
      const [pending, ...answers] = await Promise.all([
        store
          .check()
          .then(() => findPendingImport(dependencies))
          .catch(() => "unreadable" as const),
        readinessOf(recommendation),
        readinessOf(user),
        readinessOf(product),
        readinessOf(location),
        readinessOf(trainer),
      ]);
      const names = ["recommendation", "user", "product", "location", "trainer"];
      const gateway = {
        ready: pending !== "unreadable",
        detail:
          pending === "unreadable" ? "the gateway database cannot be read: apply migrations/gateway" : "up",
      };
      const workers = {
        gateway,
        ...Object.fromEntries(answers.map((answer, i) => [names[i], answer])),
      };
      const imports = pending === null || pending === "unreadable" ? [] : [pending];
      const ready = Object.values(workers).every((worker) => worker.ready) && imports.length === 0;
      return c.json({ ready, workers, imports }, ready ? 200 : 503);
    },
  );
}
