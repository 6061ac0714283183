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

/** Adds the routes by which an import reports its progress, and by which it is listed. */
export function addImportRoutes(app: Gateway, { store, now }: Dependencies, guard: GuardRoute): void {
  const record = importRecord.meta({ id: "Import" });
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/imports",
      summary: "List the imports of the application",
      description: `${describeAccess("admin")} At most 100, last reported first, with the reason of each that failed.`,
      tags: ["Operations"],
      ...guard("admin"),
      request: { query: noQuery },
      responses: {
        200: jsonResponse("The imports.", z.object({ items: z.array(record) }).meta({ id: "Imports" })),
        ...problemResponses,
      },
    }),
    async (c) => c.json({ items: await store.listImports(c.var.caller.application) }, 200),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/imports/{name}",
      summary: "Report the progress of an import",
      description: `${describeAccess("admin")} An import that failed says why in \`reason\`, and may be run again under its name.`,
      tags: ["Operations"],
      ...guard("admin", kilobytes(4)),
      request: {
        params: z.object({ name: plainId }),
        query: noQuery,
        body: jsonBody(importInput.meta({ id: "ImportBody" })),
      },
      responses: {
        200: jsonResponse("The stored progress.", record),
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
