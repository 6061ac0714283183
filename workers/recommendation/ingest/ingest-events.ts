import type { Reduced } from "../../../durable-objects/user-session/ingest/reception.ts";
import type { UserSession } from "../../../durable-objects/user-session/user-session.ts";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import type {
  EventInput,
  EventReceipt,
  EventWarning,
  ProductFacts,
  ReceivedInteraction,
  RejectedEvent,
} from "../../../shared/contracts/event.ts";
import {
  differingFields,
  type EventContent,
  encodeWorth,
  type Worth,
} from "../../../shared/contracts/event-content.ts";
import { nearestMinorUnits } from "../../../shared/contracts/minor-units.ts";
import { fromInstant, type Point, type Precision } from "../../../shared/contracts/primitives.ts";
import type { UserRows } from "../../../shared/contracts/queues.ts";
import { type Requester, trustedRequester } from "../../../shared/contracts/requester.ts";
import { ok, type Refusal, RefusalError, type Result, unwrap } from "../../../shared/contracts/result.ts";
import { hourlyLimitText, secondsToNextHour } from "../../../shared/counting/hourly-limit.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsenInBatches } from "../../../shared/geo/coarsen-point.ts";
import type { HistoryReport } from "../../../shared/services/recommendation-api.ts";
import { storeHeldImpressions } from "../serve/send-impressions.ts";
import { eachAtConsent, rememberConsents, type StoreOutcome } from "./at-consent.ts";
import { deliverRows } from "./deliver-rows.ts";
import {
  eventTimeOf,
  isInFuture,
  isWithinLiveWindow,
  maxAgeOf,
  maxEarlySeconds,
  timeRejection,
  timestampInFuture,
} from "./event-time.ts";
import {
  coarsenedLocation,
  doubtedLocation,
  implausibleLocation,
  knownLocation,
  notBelieved,
} from "./location-warnings.ts";
import { fetchProductFacts } from "./product-facts.ts";
import { sendRows } from "./send-rows.ts";

const countsAsNow = (index: number, now: number): EventWarning => ({ index, ...timestampInFuture(now) });

/** Returns why an event is refused whose id is known with other content in `fields`. */
const conflictOf = (eventId: string, fields: string[]): RejectedEvent["error"] => ({
  code: "event_id_conflict",
  path: "eventId",
  fields,
  message:
    `Another event is stored under the \`eventId\` ${JSON.stringify(eventId)}: ` +
    `${fields.map((field) => `\`${field}\``).join(", ")} ${fields.length === 1 ? "differs" : "differ"}. ` +
    "Send each event under an id of its own.",
});

/** Returns why an event is refused whose user sent too many in this hour. `now` is in seconds since the Unix epoch. */
const hourlyLimit = (now: number): RejectedEvent["error"] => ({
  code: "rate_limited",
  message: hourlyLimitText("events"),
  retryAfter: secondsToNextHour(now),
});

/** Returns the warnings of events that are not refused: a warning says what was done with an event that is stored. */
function warningsOfStored(
  warnings: readonly EventWarning[],
  rejected: readonly RejectedEvent[],
): EventWarning[] {
  const refused = new Set(rejected.map(({ index }) => index));
  return warnings.filter(({ index }) => !refused.has(index));
}

/** Events that the user object accepts in one call. */
const maxEventsPerCall = 1000;
const noFacts: ProductFacts = {
  cell: null,
  lat: null,
  lon: null,
  category: null,
  priceMinor: null,
  currency: null,
};

/** An event of a request. */
interface IndexedEvent {
  /** Position in the request. */
  index: number;
  input: EventInput;
  /** Seconds since the Unix epoch, at the latest now. */
  time: number;
  /** Whether the user's database holds the event already. */
  stored: boolean;
}

/** Returns an event with its time: its own timestamp, but at the latest `now`. */
const timedEvent = (input: EventInput, index: number, time: number, now: number): IndexedEvent => ({
  index,
  input,
  time: Math.min(time, now),
  stored: false,
});

/** Returns what an event was worth, in minor units. The contract has checked the digits. */
const worthOf = ({ value, currency, quantity }: EventInput): Worth => ({
  ...(value === undefined || currency === undefined
    ? {}
    : { value: { minor: nearestMinorUnits(value, currency), currency } }),
  ...(quantity === undefined ? {} : { quantity }),
});

/** The events of one user in a request. */
interface UserEvents {
  userId: string;
  events: IndexedEvent[];
}

function groupByUser(events: readonly IndexedEvent[]): UserEvents[] {
  const users = new Map<string, UserEvents>();
  for (const each of events) {
    const { userId } = each.input;
    const group = users.get(userId) ?? { userId, events: [] };
    users.set(userId, group);
    group.events.push(each);
  }
  return [...users.values()];
}

/** The result of recording one user's events. */
interface UserIngestResult {
  accepted: number;
  duplicates: number;
  /** Events whose ids are known with other content, and events above the limit of an hour. */
  refused: RejectedEvent[];
  /** Outbox rows to deliver. */
  user: UserRows;
  /** Whether the user has a live connection. */
  hasListeners: boolean;
  /** What was done with the locations of the events; `index` is the position in the request. */
  warnings: EventWarning[];
}

const userObjectUnreachable: Refusal = {
  code: "unavailable",
  detail: "The user object does not answer; send the event again.",
  retryAfter: 1,
};

const rejectionOf = ({ code, detail, retryAfter }: Refusal): RejectedEvent["error"] => ({
  code,
  message: detail,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

/** How the events of a user are recorded. */
interface RecordingContext {
  facts: ReadonlyMap<string, ProductFacts>;
  isHistory: boolean;
  requester: Requester;
  /** Seconds since the Unix epoch. */
  now: number;
}

/**
 * Records the events of users in their objects, with locations at the precision that each user allows. The rows of history
 * events (`isHistory`) are returned for duplicates too, because the outbox does not send them. Returns what came of each
 * user, in their order. One call of the location service coarsens the locations of all users.
 */
async function recordForUsers(
  env: RecommendationEnv,
  application: string,
  users: readonly UserEvents[],
  context: RecordingContext,
): Promise<{ user: UserEvents; outcome: StoreOutcome<UserIngestResult> }[]> {
  const coarsen = coarsenInBatches(env.LOCATION);
  const recordings = users.map((user) => ({
    user,
    session: userSessionStub(env.USER_SESSION, application, user.userId, knownLocation(user.events[0].input)),
  }));
  const outcomes = await eachAtConsent(env, application, recordings, {
    pseudonymOf: ({ session }) => session.id.toString(),
    prepare: (calls) =>
      Promise.allSettled(
        calls.map(({ user: { user }, consent }) =>
          Promise.all(
            user.events.map(({ input }) => {
              const location = knownLocation(input);
              return location ? coarsen(location, consent) : null;
            }),
          ),
        ),
      ),
    store: ({ user, session }, precision, locations) => {
      if (locations.status === "rejected") throw locations.reason;
      return recordAt(application, session, user, { ...context, precision, locations: locations.value });
    },
  });
  return outcomes.map((outcome, i) => ({ user: users[i], outcome }));
}

/** Returns what was recorded of a user. Throws the error of the call, or the refusal of the user's object. */
function recordedOf(outcome: StoreOutcome<UserIngestResult>): UserIngestResult {
  if ("error" in outcome) throw outcome.error;
  return unwrap(outcome.answer, "the user object");
}

/**
 * Records events in the user object, with locations at the precision that the user is supposed to allow. `locations` are
 * those of the events.
 */
async function recordAt(
  application: string,
  session: DurableObjectStub<UserSession>,
  { userId, events }: UserEvents,
  {
    facts,
    isHistory,
    requester,
    now,
    precision,
    locations,
  }: RecordingContext & { precision: Precision; locations: readonly (Point | null)[] },
): Promise<Result<Reduced<UserIngestResult>>> {
  const interactions = events.map(
    ({ input, time, stored }, i): ReceivedInteraction => ({
      eventId: input.eventId,
      type: input.type,
      productId: input.productId,
      time,
      recommendationId: input.recommendationId ?? null,
      location: locations[i],
      facts: facts.get(input.productId) ?? noFacts,
      ...worthOf(input),
      sentTime: input.timestamp === undefined ? null : fromInstant(input.timestamp),
      precision,
      stored,
    }),
  );
  const ingested: UserIngestResult = {
    accepted: 0,
    duplicates: 0,
    refused: [],
    user: { userId, pseudonym: session.id.toString(), generation: 0, rows: [] },
    hasListeners: false,
    warnings: events.flatMap(({ index, input }) => implausibleLocation(index, input) ?? []),
  };
  if (precision !== "exact")
    for (const { index, input } of events)
      if (knownLocation(input)) ingested.warnings.push(coarsenedLocation(index, precision));
  for (let i = 0; i < interactions.length; i += maxEventsPerCall) {
    const part = interactions.slice(i, i + maxEventsPerCall);
    // The impressions are sent first, so that the events find them.
    const stored = storeHeldImpressions(session);
    const answer = await session.ingest(application, userId, part, isHistory, requester);
    await stored;
    if (!answer.ok) return answer;
    const recorded = answer.value;
    // An object of the version before says none, and refuses locations that are too fine.
    if (recorded.consent) return ok({ consent: recorded.consent, recorded: null });
    // An erasure between two parts starts a new generation and erases the rows of the earlier parts.
    if (recorded.generation !== ingested.user.generation) ingested.user.rows = [];
    ingested.user.generation = recorded.generation;
    for (const [k, { acceptance, conflicts, row, isLocationDoubted }] of recorded.results.entries()) {
      const { index } = events[i + k];
      if (acceptance === "conflict")
        ingested.refused.push({ index, error: conflictOf(part[k].eventId, conflicts) });
      else if (acceptance === "limited") ingested.refused.push({ index, error: hourlyLimit(now) });
      else ingested[acceptance === "accepted" ? "accepted" : "duplicates"]++;
      if (isLocationDoubted) ingested.warnings.push(doubtedLocation(index));
      if (row === null) continue;
      const { seq, ...added } = row;
      const { sentTime: _, precision: __, stored: ___, ...interaction } = part[k];
      ingested.user.rows.push({ kind: "interaction", seq, interaction: { ...interaction, ...added } });
    }
    ingested.hasListeners ||= recorded.hasListeners;
  }
  return ok({ consent: null, recorded: ingested });
}

/**
 * Ingests live events. Each event is durable in its user object before this function returns, or is listed in
 * `rejected`. `waitUntil` enqueues the outbox rows of all users after the answer.
 * Returns the receipt, and the users who have a live connection. Refuses the request of a user token that has ended.
 */
export async function ingestEvents(
  env: RecommendationEnv,
  application: string,
  { events: inputs, requester }: { events: readonly EventInput[]; requester: Requester },
  now: number,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<{ receipt: EventReceipt; usersWithListeners: string[] }>> {
  const receipt: EventReceipt = { accepted: 0, duplicates: 0, rejected: [], warnings: [] };
  const accepted: IndexedEvent[] = [];
  const maxAge = maxAgeOf(requester);
  inputs.forEach((input, index) => {
    const time = eventTimeOf(input.timestamp, now);
    if (!isWithinLiveWindow(time, now, maxAge)) {
      receipt.rejected.push({ index, error: timeRejection(time, now, maxAge) });
      return;
    }
    accepted.push(timedEvent(input, index, time, now));
    if (time > now) receipt.warnings.push(countsAsNow(index, now));
  });
  if (accepted.length === 0) return ok({ receipt, usersWithListeners: [] });
  const facts = await fetchProductFacts(
    env.PRODUCT,
    application,
    accepted.map(({ input }) => input.productId),
    now,
  ).catch((error: unknown) => {
    console.error({ event: "catalog unreachable", error: errorText(error) });
    return null;
  });
  if (facts)
    for (const { index, input } of accepted)
      if (!facts.has(input.productId))
        receipt.warnings.push({
          index,
          code: "unknown_product",
          message: "The catalog has no product with this `productId`; the event is stored.",
        });
  const usersWithListeners: string[] = [];
  const rows: UserRows[] = [];
  const context: RecordingContext = { facts: facts ?? new Map(), isHistory: false, requester, now };
  let ended: Refusal | null = null;
  for (const { user, outcome } of await recordForUsers(env, application, groupByUser(accepted), context)) {
    try {
      const ingested = recordedOf(outcome);
      receipt.accepted += ingested.accepted;
      receipt.duplicates += ingested.duplicates;
      receipt.rejected.push(...ingested.refused);
      if (ingested.hasListeners) usersWithListeners.push(user.userId);
      receipt.warnings.push(...ingested.warnings);
      if (ingested.user.rows.length > 0) rows.push(ingested.user);
    } catch (error) {
      const refusal = error instanceof RefusalError ? error.refusal : userObjectUnreachable;
      // A token sends events of one user only, so that its refusal is the refusal of the request.
      if (refusal.code === "unauthorized") ended = refusal;
      else console.error({ event: "events not recorded", error: errorText(error) });
      for (const { index } of user.events) receipt.rejected.push({ index, error: rejectionOf(refusal) });
    }
  }
  if (ended) return { ok: false, error: ended };
  receipt.rejected.sort((a, b) => a.index - b.index);
  receipt.warnings = warningsOfStored(receipt.warnings, receipt.rejected).sort((a, b) => a.index - b.index);
  waitUntil(sendRows(env.INTERACTIONS, application, rows));
  return ok({ receipt, usersWithListeners });
}

/** Returns what a client says in an event, without its location, which the user's database stores coarsened. */
const contentOf = (input: EventInput): EventContent => ({
  type: input.type,
  product: input.productId,
  time: input.timestamp === undefined ? null : fromInstant(input.timestamp),
  recommendation: input.recommendationId ?? null,
  location: null,
  worth: encodeWorth(worthOf(input)),
});

/**
 * Returns the content of those events that the users' databases hold, by user and event id. The user objects know the
 * content of younger events only. A stored time may be the server's, which is close to the client's.
 */
async function findStoredEvents(
  env: RecommendationEnv,
  application: string,
  inputs: readonly EventInput[],
): Promise<Map<string, EventContent>> {
  const found = unwrap(
    await env.USER.findInteractions(
      application,
      inputs.map(({ userId, eventId }) => ({ userId, eventId })),
    ),
    "the user service",
  );
  return new Map(
    found.map(({ userId, eventId, type, productId, time, recommendationId, worth = null }) => [
      JSON.stringify([userId, eventId]),
      { type, product: productId, time, recommendation: recommendationId, location: null, worth },
    ]),
  );
}

/**
 * Reads the consent of users whose events have locations, so that the object of each is called once. A user without a
 * profile has the default.
 */
async function readConsents(
  env: RecommendationEnv,
  application: string,
  events: readonly IndexedEvent[],
): Promise<void> {
  const located = events.filter(({ input }) => knownLocation(input)).map(({ input }) => input.userId);
  if (located.length === 0) return;
  const limits = unwrap(
    await env.USER.findConsentLimits(application, [...new Set(located)]),
    "the user service",
  );
  const pseudonymOf = (userId: string): string =>
    userSessionStub(env.USER_SESSION, application, userId, null).id.toString();
  rememberConsents(
    application,
    new Map(limits.map(({ userId, precision }) => [pseudonymOf(userId), precision])),
  );
}

/**
 * Ingests history without the outbox: records the events in the user objects, delivers their rows, then returns the
 * counts. If delivery fails, this function throws, and the caller sends the same events again.
 */
export async function ingestHistory(
  env: RecommendationEnv,
  application: string,
  inputs: readonly EventInput[],
  now: number,
): Promise<HistoryReport> {
  const facts = await fetchProductFacts(
    env.PRODUCT,
    application,
    inputs.map(({ productId }) => productId),
    now,
  );
  const report: HistoryReport = { accepted: 0, duplicates: 0, rejected: [] };
  const warnings: EventWarning[] = [];
  const storedEvents = await findStoredEvents(env, application, inputs);
  const events: IndexedEvent[] = [];
  inputs.forEach((input, index) => {
    const time = eventTimeOf(input.timestamp, now);
    if (isInFuture(time, now)) {
      report.rejected.push({ index, error: timeRejection(time, now, null) });
      return;
    }
    const stored = storedEvents.get(JSON.stringify([input.userId, input.eventId]));
    const conflicts = stored ? differingFields(stored, contentOf(input), maxEarlySeconds) : [];
    if (conflicts.length > 0) report.rejected.push({ index, error: conflictOf(input.eventId, conflicts) });
    else {
      events.push({ ...timedEvent(input, index, time, now), stored: stored !== undefined });
      if (time > now) warnings.push(countsAsNow(index, now));
    }
  });
  await readConsents(env, application, events);
  const users: UserRows[] = [];
  const context: RecordingContext = { facts, isHistory: true, requester: trustedRequester, now };
  for (const { user, outcome } of await recordForUsers(env, application, groupByUser(events), context)) {
    // Lines of a merged user are refused for good, and must not keep the other lines from being stored.
    if ("answer" in outcome && !outcome.answer.ok && outcome.answer.error.code === "user_merged") {
      const error = rejectionOf(outcome.answer.error);
      report.rejected.push(...user.events.map(({ index }) => ({ index, error })));
      continue;
    }
    const ingested = recordedOf(outcome);
    report.accepted += ingested.accepted;
    report.duplicates += ingested.duplicates;
    report.rejected.push(...ingested.refused);
    // The caller knows that the locations of a user are coarsened; each line of history need not repeat it.
    warnings.push(...ingested.warnings.filter(({ code }) => code === notBelieved));
    if (ingested.user.rows.length > 0) users.push(ingested.user);
  }
  if (users.length > 0) await deliverRows(env, application, users);
  const kept = warningsOfStored(warnings, report.rejected);
  return kept.length > 0 ? { ...report, warnings: kept } : report;
}
