import { createRoute } from "@hono/zod-openapi";
import { eventInput } from "../../../shared/contracts/event.ts";
import { bulkReport } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  describeBulkReport,
  type GuardRoute,
  jsonResponse,
  kilobytes,
  megabytes,
  ndjsonBody,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";
import { handleBulkLines } from "../request/handle-bulk-lines.ts";

/**
 * Limits of one request. `maxLinesPerCall` is the most that the recommendation service accepts in one call: it calls the
 * object of each user, and a request of a worker may make 1,000 calls. A call takes up to 15 calls of other workers, and
 * a request may make 32.
 */
const limits = {
  maxBytes: megabytes(32),
  maxLines: 1000,
  maxLineBytes: kilobytes(8),
  maxLinesPerCall: 500,
};

/** Adds the route that imports past events. It answers when every store has them. */
export function addEventBulkRoute(
  app: Gateway,
  { services, minBodyRate: minRate }: Dependencies,
  guard: GuardRoute,
): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/events/bulk",
      summary: "Import past events, one JSON object a line",
      description: `${describeAccess("events:import")} At most ${limits.maxLines} lines and 32 MiB. ${describeBulkReport} An event counts once by its \`eventId\`; a line with a known id and other content is refused with \`event_id_conflict\`.`,
      tags: ["Events"],
      ...guard("events:import"),
      request: {
        query: noQuery,
        body: ndjsonBody("Event", limits.maxLines),
      },
      responses: {
        200: jsonResponse(
          "How many lines were accepted, were duplicates or were rejected, and why.",
          bulkReport.meta({ id: "BulkReport" }),
        ),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const report = await handleBulkLines(c.req.raw, minRate, eventInput, limits, async (events) =>
        unwrap(
          await services.recommendation.ingestHistory(application, events),
          "the recommendation service",
        ),
      );
      return c.json(report, 200);
    },
  );
}
