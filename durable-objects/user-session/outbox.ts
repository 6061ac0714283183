import type { InteractionsMessage, LocationsMessage } from "../../shared/contracts/queues.ts";
import { messageLimits, splitIntoMessages, utf8Bytes } from "../../shared/queues/split-messages.ts";
import type { ScheduledRow } from "./session-state.ts";
import type { OutboxQueue, SessionStore } from "./store/session-store.ts";

/** Delay after which a row that is not confirmed is sent (again), in seconds. */
export const resendSeconds = 60;
/** Maximum delay, in seconds. The delay doubles with each attempt, so that resent rows do not lengthen a backlog. */
const maxResendSeconds = 480;
/** Maximum number of rows that one alarm sends. */
const maxRowsPerSend = 1000;

/** The user whose rows are sent. */
export interface Sender {
  application: string;
  userId: string;
  pseudonym: string;
  generation: number;
}

/**
 * Returns whether a row is due, times in seconds. A row whose due time is beyond the maximum delay is due too: the
 * clock was set back.
 */
export const isDue = (due: number, now: number): boolean => due <= now || due > now + maxResendSeconds;

/**
 * Sends the open rows that are due and schedules when they are sent again. If the queue refuses a message, the other
 * messages are still sent; the first error is thrown at the end.
 */
export async function sendDueRows(
  env: Pick<UserSessionEnv, "INTERACTIONS" | "LOCATIONS">,
  store: SessionStore,
  openRows: Iterable<ScheduledRow>,
  { application, ...user }: Sender,
  now: number,
): Promise<void> {
  const due = [...openRows].filter((row) => isDue(row.due, now)).slice(0, maxRowsPerSend);
  if (due.length === 0) return;
  const bodies = store.bodies(due.map(({ id }) => id));
  const errors: unknown[] = [];
  for (const queue of ["interactions", "locations"] satisfies OutboxQueue[]) {
    const queueRows = due.flatMap((row) => {
      const body = row.queue === queue ? bodies.get(row.id) : undefined;
      return body === undefined ? [] : [{ row, body }];
    });
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
          row.due = now + row.retryDelay;
          row.retryDelay = Math.min(2 * row.retryDelay, maxResendSeconds);
        }
      } catch (error) {
        errors.push(error);
      }
    }
  }
  if (errors.length > 0) throw errors[0];
}
