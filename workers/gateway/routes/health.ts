import { createRoute, z } from "@hono/zod-openapi";
import { createReadinessCheck, readinessFor } from "../check-readiness.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import { type GuardRoute, jsonResponse, noQuery, problemResponses } from "../openapi/operation.ts";
import { readinessReport, readinessWord } from "../readiness.ts";

const tags = ["Operations"];

/** Adds `/healthz`, `/readyz` and `/v1/readiness`. */
export function addHealthRoutes(app: Gateway, dependencies: Dependencies, guard: GuardRoute): void {
  const isReady = createReadinessCheck(dependencies);
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

  const word = readinessWord.meta({ id: "ReadinessWord" });
  app.openapi(
    createRoute({
      method: "get",
      path: "/readyz",
      summary: "Check that the service is ready: workers, databases and model",
      description:
        "The answer is up to a second old, and up to 6 s while a worker does not answer. `GET /v1/readiness` says why the " +
        "service is not ready. No import is waited for but the first one of `npm start`: the service answers while an " +
        "application imports.",
      tags,
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Ready.", word),
        503: jsonResponse("Not ready.", word),
        ...problemResponses,
      },
    }),
    async (c) =>
      (await isReady())
        ? c.json({ status: "ready" as const }, 200)
        : c.json({ status: "not ready" as const }, 503),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/readiness",
      summary: "Get whether the service is ready for the application, and why not",
      description:
        `${describeAccess("admin")} \`workers\` says what each worker lacks, and \`imports\` lists the application's ` +
        "imports that run.",
      tags,
      ...guard("admin"),
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Whether the service is ready.", readinessReport.meta({ id: "Readiness" })),
        ...problemResponses,
      },
    }),
    async (c) => c.json(await readinessFor(dependencies, c.var.caller.application), 200),
  );
}
