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
import { type Guard, idPath, json, limitParameter, noQuery, refusals } from "../openapi/operation.ts";
import type { Ports } from "../ports.ts";

const deadLetterSchema = deadLetter.meta({ id: "DeadLetter" });
const list = z.object({ items: z.array(deadLetterSchema), nextCursor: deadLetterId.optional() });
const page = z.strictObject({ limit: limitParameter(100, 50), cursor: deadLetterId.optional() });
const description = "Admin.";
const tags = ["Operations"];

/** Letters of `catalogue` lie with the catalogue, before all others in the order of ids. */
const ofCatalog = (id: string): boolean => id.startsWith("catalogue~");

/** Messages that could not be consumed: listed, read, replayed, discarded. */
export function deadLetters(app: Gateway, { services }: Ports, guard: Guard): void {
  const holderOf = (id: string): DeadLetterApi =>
    ofCatalog(id) ? services.product : services.recommendation;

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/dead-letters",
      summary: "Messages of queues that could not be consumed, with their causes",
      description,
      tags,
      ...guard("admin"),
      request: { query: page },
      responses: { 200: json("A page of letters, by id.", list), ...refusals },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const { limit, cursor } = c.req.valid("query");
      const first =
        cursor === undefined || ofCatalog(cursor)
          ? unwrap(await services.product.deadLetters(application, { limit, cursor }), "the product service")
          : { items: [] };
      if (first.nextCursor !== undefined) return c.json(first, 200);
      // Full, though perhaps not of all there is: the next page begins with the others.
      if (first.items.length === limit)
        return c.json({ ...first, nextCursor: first.items[limit - 1].id }, 200);
      const rest = unwrap(
        await services.recommendation.deadLetters(application, {
          limit: limit - first.items.length,
          cursor: cursor === undefined || ofCatalog(cursor) ? undefined : cursor,
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
        200: json("The letter.", deadLetterWithBody.meta({ id: "OpenedDeadLetter" })),
        ...refusals,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(
        unwrap(await holderOf(id).deadLetter(c.var.caller.application, id), "the service that holds it"),
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
        200: json("Delivered.", replayedDeadLetter.meta({ id: "ReplayedDeadLetter" })),
        ...refusals,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(
        unwrap(
          await holderOf(id).replayDeadLetter(c.var.caller.application, id),
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
      responses: { 204: { description: "Discarded." }, ...refusals },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      unwrap(await holderOf(id).discardDeadLetter(c.var.caller.application, id), "the service that holds it");
      return c.body(null, 204);
    },
  );
}
