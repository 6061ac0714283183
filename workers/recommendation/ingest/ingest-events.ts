import { userSession } from "../../../durable-objects/user-session.ts";
import { decodeProfile } from "../../../model/profile/codec.ts";
import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";
import type { EventInput, EventReceipt, Interaction, ProductFacts } from "../../../shared/contracts/event.ts";
import { fromInstant, type Precision } from "../../../shared/contracts/primitives.ts";
import type { UserRows } from "../../../shared/contracts/queues.ts";
import type { Refusal } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsened } from "../serve/resolve-location.ts";
import { bring } from "./deliver.ts";
import { messagesOf } from "./messages.ts";
import { factsFor } from "./product-facts.ts";

/** Live events may be a week late and five minutes early. */
const lateSeconds = 7 * 86_400;
const earlySeconds = 300;
/** When something happened that a client tells of, seconds since the epoch. */
export const timeOf = (timestamp: string | undefined, now: number): number =>
  timestamp === undefined ? now : fromInstant(timestamp);
/** Whether `time` is more than what clocks differ by after now: it would be the newest for as long as it is yet to come. */
export const isYetToCome = (time: number, now: number): boolean => time > now + earlySeconds;
/** Whether what happened at `time` may be told of as live. */
export const isLive = (time: number, now: number): boolean =>
  time >= now - lateSeconds && !isYetToCome(time, now);
/** Events that a person's object takes in one call. */
const eventsPerCall = 1000;
/** People who are told at the same time. */
const userAtOnce = 32;
const noFacts: ProductFacts = { cell: null, lat: null, lon: null, category: null, price: null };

/** Events of one person, with their places in the request. */
interface PersonEvents {
  userId: string;
  events: { index: number; input: EventInput; time: number }[];
}

function byUser(events: readonly { index: number; input: EventInput; time: number }[]): PersonEvents[] {
  const users = new Map<string, PersonEvents>();
  for (const each of events) {
    const { userId } = each.input;
    const known = users.get(userId) ?? { userId, events: [] };
    users.set(userId, known);
    known.events.push(each);
  }
  return [...users.values()];
}

/** What became of a person's events. */
interface Told {
  accepted: number;
  duplicates: number;
  /** Rows that are now to be brought on. */
  user: UserRows;
  listened: boolean;
  /** Whether they allow less than their exact place, which some of the events told. */
  coarsened: boolean;
}

/** A person's object refused some events. */
class RefusedEvents extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

const unreached: Refusal = {
  code: "unavailable",
  detail: "The person cannot be reached now; send it again.",
  retryAfter: 1,
};

const rejectionOf = ({ code, detail, retryAfter }: Refusal): EventReceipt["rejected"][number]["error"] => ({
  code,
  message: detail,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

/** Hands a person their events, their place at the precision that they allow. */
async function tell(
  env: RecommendationEnv,
  application: string,
  { userId, events }: PersonEvents,
  facts: ReadonlyMap<string, ProductFacts>,
  deliverRows: boolean,
): Promise<Told> {
  const session = userSession(env.USER_SESSION, application, userId, events[0].input.location ?? null);
  const placed = events.some(({ input }) => input.location !== undefined);
  const precision: Precision = placed ? await precisionOf(session.state()) : "exact";
  const interactions = await Promise.all(
    events.map(
      async ({ input, time }): Promise<Interaction> => ({
        eventId: input.eventId,
        type: input.type,
        productId: input.productId,
        time,
        recommendationId: input.recommendationId ?? null,
        at: input.location ? await coarsened(env.LOCATION, input.location, precision) : null,
        facts: facts.get(input.productId) ?? noFacts,
      }),
    ),
  );
  const told: Told = {
    accepted: 0,
    duplicates: 0,
    user: { userId, object: session.id.toString(), generation: 0, rows: [] },
    listened: false,
    coarsened: precision !== "exact",
  };
  for (let i = 0; i < interactions.length; i += eventsPerCall) {
    const part = interactions.slice(i, i + eventsPerCall);
    const recorded = await session.ingest(application, userId, part, deliverRows);
    if (!recorded.ok) throw new RefusedEvents(recorded.error);
    // An erasure between two parts begins another life: the rows of the one before are erased with it.
    if (recorded.value.generation !== told.user.generation) told.user.rows = [];
    told.user.generation = recorded.value.generation;
    for (const [k, { acceptance, row }] of recorded.value.taken.entries()) {
      told[acceptance === "accepted" ? "accepted" : "duplicates"]++;
      if (row === null) continue;
      const { seq, ...known } = row;
      told.user.rows.push({ kind: "interaction", seq, interaction: { ...part[k], ...known } });
    }
    told.listened ||= recorded.value.listened;
  }
  return told;
}

async function precisionOf(state: Promise<Uint8Array>): Promise<Precision> {
  const bytes = await state;
  return bytes.byteLength > 0 ? decodeProfile(bytes).precision : "exact";
}

/** Sends rows that their people hold until they are confirmed. What is not taken here, they send again themselves. */
async function send(
  queue: RecommendationEnv["INTERACTIONS"],
  application: string,
  users: readonly UserRows[],
): Promise<void> {
  const messages = messagesOf(application, users);
  try {
    if (messages.length === 1) await queue.send(messages[0]);
    else if (messages.length > 1) await queue.sendBatch(messages.map((body) => ({ body })));
  } catch (error) {
    console.error({ event: "rows not sent", messages: messages.length, error: errorText(error) });
  }
}

/**
 * Takes live events: each is durable in its person before this answers, or rejected by name. `later` takes what follows
 * the answer: the rows of all these people leave together.
 */
export async function ingestEvents(
  env: RecommendationEnv,
  application: string,
  inputs: readonly EventInput[],
  now: number,
  later: (work: Promise<unknown>) => void,
): Promise<{ receipt: EventReceipt; listened: string[] }> {
  const receipt: EventReceipt = { accepted: 0, duplicates: 0, rejected: [], warnings: [] };
  const good: { index: number; input: EventInput; time: number }[] = [];
  inputs.forEach((input, index) => {
    const time = timeOf(input.timestamp, now);
    if (!isLive(time, now))
      receipt.rejected.push({
        index,
        error: {
          code: "timestamp_out_of_window",
          message: "Live events are at most 7 days late and 5 minutes early; use the bulk path for history.",
        },
      });
    else good.push({ index, input, time });
  });
  if (good.length === 0) return { receipt, listened: [] };
  const facts = await factsFor(
    env.PRODUCT,
    application,
    good.map(({ input }) => input.productId),
    now,
  ).catch((error: unknown) => {
    console.error({ event: "catalogue not reached", error: errorText(error) });
    return null;
  });
  if (facts)
    for (const { index, input } of good)
      if (!facts.has(input.productId)) receipt.warnings.push({ index, code: "unknown_product" });
  const listened: string[] = [];
  const rows: UserRows[] = [];
  await mapConcurrent(userAtOnce, byUser(good), async (user) => {
    try {
      const told = await tell(env, application, user, facts ?? new Map(), false);
      receipt.accepted += told.accepted;
      receipt.duplicates += told.duplicates;
      if (told.listened) listened.push(user.userId);
      if (told.coarsened)
        for (const { index, input } of user.events)
          if (input.location) receipt.warnings.push({ index, code: "location_coarsened" });
      if (told.user.rows.length > 0) rows.push(told.user);
    } catch (error) {
      console.error({ event: "events not taken", error: errorText(error) });
      const why = error instanceof RefusedEvents ? error.refusal : unreached;
      for (const { index } of user.events) receipt.rejected.push({ index, error: rejectionOf(why) });
    }
  });
  receipt.rejected.sort((a, b) => a.index - b.index);
  receipt.warnings.sort((a, b) => a.index - b.index);
  later(send(env.INTERACTIONS, application, rows));
  return { receipt, listened };
}

/**
 * Takes history, without the outbox: the person first, then this caller brings the rows to the records itself and answers
 * only when they are there. Where it dies on the way, nothing was promised; the same events again go the whole way again.
 */
export async function ingestHistory(
  env: RecommendationEnv,
  application: string,
  inputs: readonly EventInput[],
  now: number,
): Promise<{ accepted: number; duplicates: number; rejected: number }> {
  const facts = await factsFor(
    env.PRODUCT,
    application,
    inputs.map(({ productId }) => productId),
    now,
  );
  const events = inputs
    .map((input, index) => ({ index, input, time: timeOf(input.timestamp, now) }))
    .filter(({ time }) => !isYetToCome(time, now));
  const report = { accepted: 0, duplicates: 0, rejected: inputs.length - events.length };
  const users: UserRows[] = [];
  await mapConcurrent(userAtOnce, byUser(events), async (user) => {
    const told = await tell(env, application, user, facts, true);
    report.accepted += told.accepted;
    report.duplicates += told.duplicates;
    if (told.user.rows.length > 0) users.push(told.user);
  });
  if (users.length > 0) await bring(env, application, users);
  return report;
}
