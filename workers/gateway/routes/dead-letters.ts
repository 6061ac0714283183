import { createRoute, z } from "@hono/zod-openapi";
import {
  deadLetter,
  deadLetterId,
  deadLetterWithBody,
  replayedDeadLetter,
} from "../../../shared/contracts/dead-letter.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { DeadLetterApi } from "../../../shared/services/dead-letter-api.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonResponse,
  limitParameter,
  noQuery,
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";

const deadLetterSchema = deadLetter.meta({ id: "DeadLetter" });
const list = z.object({ items: z.array(deadLetterSchema), nextCursor: deadLetterId.optional() });
const page = z.strictObject({ limit: limitParameter(100, 50), cursor: deadLetterId.optional() });
const description = describeAccess("admin");
const tags = ["Operations"];

/**
 * Returns whether the product service stores the dead-letter message with an id. Such ids begin with the name of the
 * service's queue and sort before all others. The recommendation service stores the other messages.
 */
const isCatalogMessage = (id: string): boolean => id.startsWith("catalogue~");

/** Adds routes to list, read, replay and discard dead-letter messages. */
export function addDeadLetterRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  const serviceOf = (id: string): DeadLetterApi =>
    isCatalogMessage(id) ? services.product : services.recommendation;

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/dead-letters",
      summary: "List dead-letter messages: queue messages that could not be processed, with the cause",
      description,
      tags,
      ...guard("admin"),
      request: { query: page },
      responses: { 200: jsonResponse("A page of dead-letter messages, by id.", list), ...problemResponses },
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
      // The page is full, but the recommendation service may hold more messages: the cursor continues there.
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
      summary: "Get a dead-letter message with its body",
      description,
      tags,
      ...guard("admin"),
      request: { params: plainIdPath, query: noQuery },
      responses: {
        200: jsonResponse("The dead-letter message.", deadLetterWithBody.meta({ id: "OpenedDeadLetter" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(
        unwrap(
          await serviceOf(id).getDeadLetter(c.var.caller.application, id),
          "the service that stores the message",
        ),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/dead-letters/{id}/replay",
      summary: "Replay a dead-letter message: process it completely, then delete it",
      description,
      tags,
      ...guard("admin"),
      request: { params: plainIdPath, query: noQuery },
      responses: {
        200: jsonResponse("Replayed.", replayedDeadLetter.meta({ id: "ReplayedDeadLetter" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(
        unwrap(
          await serviceOf(id).replayDeadLetter(c.var.caller.application, id),
          "the service that stores the message",
        ),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/dead-letters/{id}",
      summary: "Discard a dead-letter message without processing it",
      description,
      tags,
      ...guard("admin"),
      request: { params: plainIdPath, query: noQuery },
      responses: { 204: { description: "Discarded." }, ...problemResponses },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      unwrap(
        await serviceOf(id).discardDeadLetter(c.var.caller.application, id),
        "the service that stores the message",
      );
      return c.body(null, 204);
    },
  );
}
