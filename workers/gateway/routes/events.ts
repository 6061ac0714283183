import { createRoute, z } from "@hono/zod-openapi";
import {
  type EventInput,
  type EventReceipt,
  eventInput,
  eventReceipt,
} from "../../../shared/contracts/event.ts";
import { issuesOf, unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { mayActFor } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

const eventSchema = eventInput.meta({ id: "Event" });
/** The envelope alone: each event is judged by itself, so that a bad one does not keep out the others. */
const envelope = z.strictObject({
  addEventRoute: z
    .array(z.unknown())
    .min(1)
    .max(100)
    .openapi({ items: { $ref: "#/components/schemas/Event" } }),
});

/** Events that have the form of one, by their place in the request, and what is wrong with the rest. */
function parseEvents(addEventRoute: unknown[]) {
  const good: { index: number; eventSchema: EventInput }[] = [];
  const bad: { index: number; issues: ReturnType<typeof issuesOf> }[] = [];
  addEventRoute.forEach((each, index) => {
    const parsed = eventSchema.safeParse(each);
    if (parsed.success) good.push({ index, eventSchema: parsed.data });
    else bad.push({ index, issues: issuesOf(parsed.error) });
  });
  return { good, bad };
}

/** The receipt in the numbering of the request. */
function renumberReceipt(receipt: EventReceipt, { good, bad }: ReturnType<typeof parseEvents>): EventReceipt {
  const malformed = bad.map(({ index, issues: [first] }) => ({
    index,
    error: { code: "invalid_input", message: `${first.path || "event"}: ${first.message}` },
  }));
  const refused = receipt.rejected.map(({ index, error }) => ({ index: good[index].index, error }));
  return {
    ...receipt,
    rejected: [...malformed, ...refused].sort((a, b) => a.index - b.index),
    warnings: receipt.warnings.map(({ index, code }) => ({ index: good[index].index, code })),
  };
}

/** Where not one event was taken, and all for now only, the request is refused: whoever sent it waits and sends it again. */
function refuseIfAllMustRetry({ rejected }: EventReceipt, count: number): void {
  const waits = rejected.flatMap(({ error: { retryAfter } }) => retryAfter ?? []);
  if (count === 0 || rejected.length < count || waits.length < count) return;
  const full = rejected.every(({ error }) => error.code === "rate_limited");
  throwRefusal(
    full ? "rate_limited" : "unavailable",
    full
      ? "More of these people waits for the records than can be kept."
      : "None of these people can be reached now.",
    { retryAfter: Math.max(...waits) },
  );
}

/** What people do. */
export function addEventRoute(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openAPIRegistry.register("Event", eventSchema);
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/events",
      summary: "Tell what people did: 1 to 100 events",
      description:
        "Admin, client, or the person's own token. Each event counts once by its eventId, however often sent. " +
        "A malformed event among good ones is rejected by its index; where all are malformed, the request is.",
      tags: ["Events"],
      ...guard("anyone", kilobytes(256)),
      request: { query: noQuery, body: jsonBody(envelope) },
      responses: {
        202: jsonResponse("Durable, each of those accepted.", eventReceipt.meta({ id: "EventReceipt" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { caller } = c.var;
      const sorted = parseEvents(c.req.valid("json").addEventRoute);
      const { good, bad } = sorted;
      if (good.some(({ eventSchema: { userId } }) => !mayActFor(caller, userId)))
        throwRefusal("forbidden", "The token is another person's.");
      if (good.length === 0)
        throwRefusal("invalid_input", "No event has the documented form.", {
          issues: bad.flatMap(({ index, issues }) =>
            issues.map(({ path, message }) => ({
              path: ["events", index, ...(path ? [path] : [])].join("."),
              message,
            })),
          ),
        });
      const receipt = unwrap(
        await services.recommendation.ingestEvents(
          caller.application,
          good.map(({ eventSchema: each }) => each),
        ),
        "the recommendation service",
      );
      refuseIfAllMustRetry(receipt, good.length);
      return c.json(renumberReceipt(receipt, sorted), 202);
    },
  );
}
