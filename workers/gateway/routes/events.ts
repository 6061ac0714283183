import { createRoute, z } from "@hono/zod-openapi";
import {
  type EventInput,
  type EventReceipt,
  eventInput,
  eventReceipt,
  type RejectedEvent,
} from "../../../shared/contracts/event.ts";
import { type InputIssue, issuesOf, unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess, mayActFor } from "../keys/caller.ts";
import { requesterOf } from "../keys/requester-of.ts";
import { type GuardRoute, jsonResponse, kilobytes, noQuery, problemResponses } from "../openapi/operation.ts";

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

const beacon = z
  .string()
  .max(kilobytes(64))
  .meta({
    contentMediaType: "application/json",
    description:
      "For `navigator.sendBeacon`, which can send no header: `{ token, events }` as JSON in UTF-8. The `token` is a user token. " +
      "A key is refused with 403.",
  });
/** The bodies of the route. A beacon reaches the handler as JSON without its token, so only that type is parsed. */
const bodies = {
  "application/json": { schema: envelope },
  "text/plain": { schema: beacon },
} as { "application/json": { schema: typeof envelope } };
const nothingIngested: EventReceipt = { accepted: 0, duplicates: 0, rejected: [], warnings: [] };

/** Validates each event of a request by itself. */
function parseEvents(events: readonly unknown[]): ParsedEvents {
  const valid: ParsedEvents["valid"] = [];
  const malformed: ParsedEvents["malformed"] = [];
  events.forEach((input, index) => {
    const parsed = eventSchema.safeParse(input);
    if (parsed.success) valid.push({ index, event: parsed.data });
    else malformed.push({ index, issues: issuesOf(parsed.error, input) });
  });
  return { valid, malformed };
}

/** Returns the error of a malformed event: its first issue. */
const malformedError = ([{ path, message }]: InputIssue[]): RejectedEvent["error"] => ({
  code: "invalid_input",
  message: `${path || "event"}: ${message}`,
  ...(path ? { path } : {}),
});

/**
 * Returns the receipt with the indexes of the whole request, and with the malformed events as rejected. The service
 * numbers only the valid events.
 */
function renumberReceipt(receipt: EventReceipt, { valid, malformed }: ParsedEvents): EventReceipt {
  const malformedErrors = malformed.map(({ index, issues }) => ({ index, error: malformedError(issues) }));
  const refused = receipt.rejected.map(({ index, error }) => ({ index: valid[index].index, error }));
  return {
    ...receipt,
    rejected: [...malformedErrors, ...refused].sort((a, b) => a.index - b.index),
    warnings: receipt.warnings.map((warning) => ({ ...warning, index: valid[warning.index].index })),
  };
}

/**
 * Refuses the request if no event of it is stored: `rate_limited` or `unavailable` if the client may send all of them
 * again, otherwise `nothing_accepted`. A duplicate is stored already.
 */
function refuseIfNothingIsStored({ accepted, duplicates, rejected }: EventReceipt): void {
  if (accepted + duplicates > 0) return;
  const waits = rejected.flatMap(({ error: { retryAfter } }) => retryAfter ?? []);
  const issues = rejected.map(({ index, error: { code, message, path, retryAfter } }) => ({
    path: ["events", index, ...(path === undefined ? [] : [path])].join("."),
    message,
    code,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }));
  if (waits.length < rejected.length)
    throwRefusal("nothing_accepted", "All events were refused; `errors` says why, by index.", { issues });
  const full = rejected.every(({ error }) => error.code === "rate_limited");
  throwRefusal(
    full ? "rate_limited" : "unavailable",
    full ? rejected[0].error.message : "The users of these events cannot be reached; send the request again.",
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
        `${describeAccess("user")} An event counts once by its \`eventId\`, however often it ` +
        "is sent; another event under a known id is refused with `event_id_conflict`. A refused event is listed in " +
        "`rejected` by its index, and the others are recorded. If no event is stored, the status is 422 with the reasons, or " +
        "429 or 503 if all events may be sent again. A `timestamp` may be up to 7 days old, with a user token up to 15 " +
        "minutes; up to 5 minutes in the future counts as now, with the warning `timestamp_in_future`. A `location` that cannot be true is left out, with a warning.",
      tags: ["Events"],
      ...guard("user", kilobytes(256), "beacon"),
      request: { query: noQuery, body: { required: true, content: bodies } },
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
      const { valid } = parsed;
      if (valid.some(({ event: { userId } }) => !mayActFor(caller, userId)))
        throwRefusal("forbidden", "A token may send events of its own user only.");
      const ingested =
        valid.length === 0
          ? nothingIngested
          : unwrap(
              await services.recommendation.ingestEvents(
                caller.application,
                valid.map(({ event }) => event),
                requesterOf(caller),
              ),
              "the recommendation service",
            );
      const receipt = renumberReceipt(ingested, parsed);
      refuseIfNothingIsStored(receipt);
      return c.json(receipt, 202);
    },
  );
}
