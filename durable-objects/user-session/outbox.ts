import type { InteractionsMessage, LocationsMessage } from "../../shared/contracts/queues.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { messageLimits, splitIntoMessages, utf8Bytes } from "../../shared/queues/split-messages.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";
import type { ScheduledRow } from "./session-state.ts";
import type { OutboxQueue, SessionStore } from "./store/session-store.ts";

/** Delay after which a row that was sent and is not confirmed is looked at again, in seconds. */
export const resendSeconds = 60;
/** Maximum time between two looks at a row, in seconds. */
const maxLookSeconds = hourSeconds / 2;
/**
 * Time after which a row's message is in the queue if it ever is, in seconds: a request handler has 30 seconds after its
 * answer.
 */
const handlerSeconds = 30;
/**
 * Time for which a row's message may be in the queue, in seconds: then the row is sent again in any case. It grows with the
 * age of the row, from the first value to the second.
 */
const heldSeconds = { min: 2 * hourSeconds, max: 24 * hourSeconds } as const;
/** Maximum number of rows that one alarm sends. */
const maxRowsPerSend = 1000;

/** The user whose rows are sent. */
export interface Sender {
  application: string;
  userId: string;
  pseudonym: string;
  generation: number;
}

type Queues = Pick<UserSessionEnv, "INTERACTIONS" | "LOCATIONS">;

/**
 * Returns whether a row is due, times in seconds. A row whose due time is beyond the maximum delay is due too: the
 * clock was set back.
 */
export const isDue = (due: number, now: number): boolean => due <= now || due > now + maxLookSeconds;

/**
 * Returns when the oldest message of a queue that nobody acknowledged was sent, in seconds since the epoch; null if the
 * queue is empty or does not say it. A message that waits for a retry is one of them.
 */
async function oldestMessageOf(queue: Pick<Queue, "metrics">): Promise<number | null> {
  try {
    const { oldestMessageTimestamp } = await queue.metrics();
    const time = Number(oldestMessageTimestamp ?? 0) / 1000;
    return time > 0 ? time : null;
  } catch (error) {
    console.error({ event: "queue metrics not read", error: errorText(error) });
    return null;
  }
}

/**
 * Returns whether the queue may still hold the message of a row: it has a message as old as the row's, and the row has not
 * waited for the longest time. Times are in seconds since the epoch.
 */
function mayBeQueued({ added, sent }: ScheduledRow, oldest: number | null, now: number): boolean {
  if (sent === null || oldest === null || oldest > sent + handlerSeconds) return false;
  const longest = Math.max(heldSeconds.min, Math.min(heldSeconds.max, 3 * (sent - added)));
  return now - sent < longest;
}

/** Returns when a row that was sent is looked at again: the more time has passed, the later. */
const nextLook = (sent: number, now: number): number =>
  now + Math.max(resendSeconds, Math.min(maxLookSeconds, now - sent));

/**
 * Sends the open rows that are due and that no message of the queue can hold, and schedules when each is looked at again. If
 * the queue refuses a message, the other messages are still sent; the first error is thrown at the end.
 */
export async function sendDueRows(
  env: Queues,
  store: SessionStore,
  openRows: Iterable<ScheduledRow>,
  sender: Sender,
  now: number,
): Promise<void> {
  const due = [...openRows].filter((row) => isDue(row.due, now));
  const errors: unknown[] = [];
  for (const queue of ["interactions", "locations"] satisfies OutboxQueue[]) {
    const rows = due.filter((row) => row.queue === queue);
    const wasSent = rows.some(({ sent }) => sent !== null);
    const oldest = wasSent
      ? await oldestMessageOf(queue === "interactions" ? env.INTERACTIONS : env.LOCATIONS)
      : null;
    const missing: ScheduledRow[] = [];
    for (const row of rows) {
      if (row.sent !== null && mayBeQueued(row, oldest, now)) row.due = nextLook(row.sent, now);
      else missing.push(row);
    }
    errors.push(...(await sendRows(env, store, queue, missing.slice(0, maxRowsPerSend), sender, now)));
  }
  if (errors.length > 0) throw errors[0];
}

/** Sends rows of one queue. Returns the errors of the messages that the queue refused. */
async function sendRows(
  env: Queues,
  store: SessionStore,
  queue: OutboxQueue,
  scheduled: readonly ScheduledRow[],
  { application, ...user }: Sender,
  now: number,
): Promise<unknown[]> {
  if (scheduled.length === 0) return [];
  const bodies = store.bodies(scheduled.map(({ id }) => id));
  const queueRows = scheduled.flatMap((row) => {
    const body = bodies.get(row.id);
    return body === undefined ? [] : [{ row, body }];
  });
  const errors: unknown[] = [];
  let lastSentAgain = 0;
  for (const message of splitIntoMessages(queueRows, ({ body }) => utf8Bytes(body), messageLimits)) {
    const rows = message.map(({ row, body }) => ({ ...JSON.parse(body), seq: row.seq }));
    try {
      if (queue === "interactions")
        await env.INTERACTIONS.send({
          application,
          users: [{ ...user, rows }],
        } satisfies InteractionsMessage);
      else await env.LOCATIONS.send({ application, ...user, rows } satisfies LocationsMessage);
      for (const { row } of message) {
        if (row.sent !== null) lastSentAgain = Math.max(lastSentAgain, row.seq);
        row.sent = now;
        row.due = now + resendSeconds;
      }
    } catch (error) {
      errors.push(error);
    }
  }
  if (lastSentAgain > 0) store.markSent(queue, { seq: lastSentAgain, at: now });
  return errors;
}
