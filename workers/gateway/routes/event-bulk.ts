import { createRoute } from "@hono/zod-openapi";
import { eventInput } from "../../../shared/contracts/event.ts";
import { bulkReport } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import {
  type Guard,
  json,
  kilobytes,
  linesBody,
  megabytes,
  noQuery,
  refusals,
} from "../openapi/operation.ts";
import type { Ports } from "../ports.ts";
import { handleLines } from "../request/bulk-lines.ts";

const bounds = { bytes: megabytes(32), lines: 10_000, lineLength: kilobytes(8), perCall: 4000 };

/** A person's events together, in the order in which they came. */
function byUser<T extends { userId: string }>(events: T[]): T[] {
  const groups = new Map<string, T[]>();
  for (const event of events) {
    const group = groups.get(event.userId);
    if (group) group.push(event);
    else groups.set(event.userId, [event]);
  }
  return [...groups.values()].flat();
}

/** History: many events at a time, answered when all parts of the house hold them. */
export function eventBulk(app: Gateway, { services, bodyRate: pace }: Ports, guard: Guard): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/events/bulk",
      summary: "Import past events, one JSON object a line",
      description: `Admin, or a client key with events:import. Up to ${bounds.lines} lines and 32 MB; bad ones are reported, good ones kept.`,
      tags: ["Events"],
      ...guard("events:import"),
      request: {
        query: noQuery,
        body: linesBody("Event", bounds.lines),
      },
      responses: {
        200: json("What became of the lines.", bulkReport.meta({ id: "BulkReport" })),
        ...refusals,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const report = await handleLines(c.req.raw, pace, eventInput, bounds, async (events) =>
        unwrap(
          await services.recommendation.ingestHistory(application, byUser(events)),
          "the recommendation service",
        ),
      );
      return c.json(report, 200);
    },
  );
}
