import { createRoute, z } from "@hono/zod-openapi";
import { plainId } from "../../../shared/contracts/primitives.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";
import { importInput, importRecord } from "../readiness.ts";

/** Adds the route by which an import reports its progress, for `/readyz`. */
export function addImportRoute(app: Gateway, { store, now }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/imports/{name}",
      summary: "Report the progress of an import",
      description: `${describeAccess("admin")} While an import runs, \`/readyz\` answers 503 with its progress.`,
      tags: ["Operations"],
      ...guard("admin", kilobytes(4)),
      request: {
        params: z.object({ name: plainId }),
        query: noQuery,
        body: jsonBody(importInput.meta({ id: "ImportBody" })),
      },
      responses: {
        200: jsonResponse("The stored progress.", importRecord.meta({ id: "Import" })),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        await store.putImport(
          c.var.caller.application,
          c.req.valid("param").name,
          c.req.valid("json"),
          Math.floor(now() / 1000),
        ),
        200,
      ),
  );
}
