import { createRoute, z } from "@hono/zod-openapi";
import {
  type EventInput,
  type EventReceipt,
  eventInput,
  eventReceipt,
} from "../../../shared/contracts/event.ts";
import { type InputIssue, issuesOf, unwrap } from "../../../shared/contracts/result.ts";
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
/**
 * The body without its events: each event is validated separately, so that a malformed one does not reject the others.
 */
const envelope = z.strictObject({
  events: z
    .array(z.unknown())
    .min(1)
    .max(100)
    .openapi({ items: { $ref: "#/components/schemas/Event" } }),
});

/** The events of a request: valid ones and malformed ones, each with its index in the request. */
interface ParsedEvents {
  valid: { index: number; event: EventInput }[];
  malformed: { index: number; issues: InputIssue[] }[];
}

/** Validates each event of a request by itself. */
function parseEvents(events: readonly unknown[]): ParsedEvents {
  const valid: ParsedEvents["valid"] = [];
  const malformed: ParsedEvents["malformed"] = [];
  events.forEach((input, index) => {
    const parsed = eventSchema.safeParse(input);
    if (parsed.success) valid.push({ index, event: parsed.data });
    else malformed.push({ index, issues: issuesOf(parsed.error) });
  });
  return { valid, malformed };
}

/**
 * Returns the receipt with the indexes of the whole request, and with the malformed events as rejected. The service
 * numbers only the valid events.
 */
function renumberReceipt(receipt: EventReceipt, { valid, malformed }: ParsedEvents): EventReceipt {
  const malformedErrors = malformed.map(({ index, issues: [first] }) => ({
    index,
    error: { code: "invalid_input", message: `${first.path || "event"}: ${first.message}` },
  }));
  const refused = receipt.rejected.map(({ index, error }) => ({ index: valid[index].index, error }));
  return {
    ...receipt,
    rejected: [...malformedErrors, ...refused].sort((a, b) => a.index - b.index),
    warnings: receipt.warnings.map((warning) => ({ ...warning, index: valid[warning.index].index })),
  };
}

/**
 * Refuses the request where every event was rejected and may be retried, so that the client waits and sends it again.
 */
function refuseIfAllMustRetry({ rejected }: EventReceipt, count: number): void {
  const waits = rejected.flatMap(({ error: { retryAfter } }) => retryAfter ?? []);
  if (count === 0 || rejected.length < count || waits.length < count) return;
  const full = rejected.every(({ error }) => error.code === "rate_limited");
  throwRefusal(
    full ? "rate_limited" : "unavailable",
    full
      ? "Too many events of these users wait to be stored; send the request again later."
      : "The users of these events cannot be reached; send the request again.",
    { retryAfter: Math.max(...waits) },
  );
}

/** Adds the route that records what users did. */
export function addEventRoute(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openAPIRegistry.register("Event", eventSchema);
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/events",
      summary: "Record what users did: 1 to 100 events",
      description:
        "Requires an admin key, a client key, or a token of the events' user. An event counts once by its `eventId`, however " +
        "often it is sent. A `location` that cannot be true is left out, with a warning. A malformed event is rejected by its index, and the others are recorded. If all events are " +
        "malformed, the request is refused.",
      tags: ["Events"],
      ...guard("anyone", kilobytes(256)),
      request: { query: noQuery, body: jsonBody(envelope) },
      responses: {
        202: jsonResponse(
          "The accepted events are stored durably.",
          eventReceipt.meta({ id: "EventReceipt" }),
        ),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { caller } = c.var;
      const parsed = parseEvents(c.req.valid("json").events);
      const { valid, malformed } = parsed;
      if (valid.some(({ event: { userId } }) => !mayActFor(caller, userId)))
        throwRefusal("forbidden", "A token may send events of its own user only.");
      if (valid.length === 0)
        throwRefusal("invalid_input", "Every event is malformed; see `errors`.", {
          issues: malformed.flatMap(({ index, issues }) =>
            issues.map(({ path, message }) => ({
              path: ["events", index, ...(path ? [path] : [])].join("."),
              message,
            })),
          ),
        });
      const receipt = unwrap(
        await services.recommendation.ingestEvents(
          caller.application,
          valid.map(({ event }) => event),
        ),
        "the recommendation service",
      );
      refuseIfAllMustRetry(receipt, valid.length);
      return c.json(renumberReceipt(receipt, parsed), 202);
    },
  );
}
