import { createRoute, z } from "@hono/zod-openapi";
import {
  deadLetter,
  deadLetterId,
  deadLetterWithBody,
  replayedDeadLetter,
} from "../../../shared/contracts/dead-letter.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { DeadLetterApi } from "../../../shared/contracts/services.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import {
  type GuardRoute,
  idPath,
  jsonResponse,
  limitParameter,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

const deadLetterSchema = deadLetter.meta({ id: "DeadLetter" });
const list = z.object({ items: z.array(deadLetterSchema), nextCursor: deadLetterId.optional() });
const page = z.strictObject({ limit: limitParameter(100, 50), cursor: deadLetterId.optional() });
const description = "Admin.";
const tags = ["Operations"];

/** Letters of `catalogue` lie with the catalogue, before all others in the order of ids. */
const isCatalogMessage = (id: string): boolean => id.startsWith("catalogue~");

/** Messages that could not be consumed: listed, read, replayed, discarded. */
export function addDeadLetterRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  const serviceOf = (id: string): DeadLetterApi =>
    isCatalogMessage(id) ? services.product : services.recommendation;

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/dead-letters",
      summary: "Messages of queues that could not be consumed, with their causes",
      description,
      tags,
      ...guard("admin"),
      request: { query: page },
      responses: { 200: jsonResponse("A page of letters, by id.", list), ...problemResponses },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const { limit, cursor } = c.req.valid("query");
      const first =
        cursor === undefined || isCatalogMessage(cursor)
          ? unwrap(
              await services.product.listDeadLetters(application, { limit, cursor }),
              "the product service",
            )
          : { items: [] };
      if (first.nextCursor !== undefined) return c.json(first, 200);
      // Full, though perhaps not of all there is: the next page begins with the others.
      if (first.items.length === limit)
        return c.json({ ...first, nextCursor: first.items[limit - 1].id }, 200);
      const rest = unwrap(
        await services.recommendation.listDeadLetters(application, {
          limit: limit - first.items.length,
          cursor: cursor === undefined || isCatalogMessage(cursor) ? undefined : cursor,
        }),
        "the recommendation service",
      );
      return c.json({ ...rest, items: [...first.items, ...rest.items] }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/dead-letters/{id}",
      summary: "A dead letter with what it says",
      description,
      tags,
      ...guard("admin"),
      request: { params: idPath, query: noQuery },
      responses: {
        200: jsonResponse("The letter.", deadLetterWithBody.meta({ id: "OpenedDeadLetter" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(
        unwrap(await serviceOf(id).getDeadLetter(c.var.caller.application, id), "the service that holds it"),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/dead-letters/{id}/replay",
      summary: "Deliver a dead letter; it is gone once all that its message asks for is done",
      description,
      tags,
      ...guard("admin"),
      request: { params: idPath, query: noQuery },
      responses: {
        200: jsonResponse("Delivered.", replayedDeadLetter.meta({ id: "ReplayedDeadLetter" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(
        unwrap(
          await serviceOf(id).replayDeadLetter(c.var.caller.application, id),
          "the service that holds it",
        ),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/dead-letters/{id}",
      summary: "Discard a dead letter that nobody will deliver",
      description,
      tags,
      ...guard("admin"),
      request: { params: idPath, query: noQuery },
      responses: { 204: { description: "Discarded." }, ...problemResponses },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      unwrap(
        await serviceOf(id).discardDeadLetter(c.var.caller.application, id),
        "the service that holds it",
      );
      return c.body(null, 204);
    },
  );
}
