import { createRoute, z } from "@hono/zod-openapi";
import {
  type EventInput,
  type EventReceipt,
  eventInput,
  eventReceipt,
} from "../../../shared/contracts/event.ts";
import { issuesOf, unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import { deny } from "../errors/deny.ts";
import { mayActFor } from "../keys/caller.ts";
import { type Guard, json, jsonBody, kilobytes, noQuery, refusals } from "../openapi/operation.ts";
import type { Ports } from "../ports.ts";

const event = eventInput.meta({ id: "Event" });
/** The envelope alone: each event is judged by itself, so that a bad one does not keep out the others. */
const envelope = z.strictObject({
  events: z
    .array(z.unknown())
    .min(1)
    .max(100)
    .openapi({ items: { $ref: "#/components/schemas/Event" } }),
});

/** Events that have the form of one, by their place in the request, and what is wrong with the rest. */
function sort(events: unknown[]) {
  const good: { index: number; event: EventInput }[] = [];
  const bad: { index: number; issues: ReturnType<typeof issuesOf> }[] = [];
  events.forEach((each, index) => {
    const parsed = event.safeParse(each);
    if (parsed.success) good.push({ index, event: parsed.data });
    else bad.push({ index, issues: issuesOf(parsed.error) });
  });
  return { good, bad };
}

/** The receipt in the numbering of the request. */
function renumber(receipt: EventReceipt, { good, bad }: ReturnType<typeof sort>): EventReceipt {
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
function refuseAll({ rejected }: EventReceipt, count: number): void {
  const waits = rejected.flatMap(({ error: { retryAfter } }) => retryAfter ?? []);
  if (count === 0 || rejected.length < count || waits.length < count) return;
  const full = rejected.every(({ error }) => error.code === "rate_limited");
  deny(
    full ? "rate_limited" : "unavailable",
    full
      ? "More of these people waits for the records than can be kept."
      : "None of these people can be reached now.",
    { retryAfter: Math.max(...waits) },
  );
}

/** What people do. */
export function events(app: Gateway, { services }: Ports, guard: Guard): void {
  app.openAPIRegistry.register("Event", event);
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
        202: json("Durable, each of those accepted.", eventReceipt.meta({ id: "EventReceipt" })),
        ...refusals,
      },
    }),
    async (c) => {
      const { caller } = c.var;
      const sorted = sort(c.req.valid("json").events);
      const { good, bad } = sorted;
      if (good.some(({ event: { userId } }) => !mayActFor(caller, userId)))
        deny("forbidden", "The token is another person's.");
      if (good.length === 0)
        deny("invalid_input", "No event has the documented form.", {
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
          good.map(({ event: each }) => each),
        ),
        "the recommendation service",
      );
      refuseAll(receipt, good.length);
      return c.json(renumber(receipt, sorted), 202);
    },
  );
}
