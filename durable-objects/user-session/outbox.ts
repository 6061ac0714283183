import type { InteractionsMessage, LocationsMessage } from "../../shared/contracts/queues.ts";
import type { Waiting } from "./session-memory.ts";
import type { OutboxQueue, SessionStore } from "./store.ts";

/** A row that came, or was sent, so many seconds ago and is not confirmed is sent (again). */
export const resendSeconds = 60;
/** ... and later each time, so that consumers who are behind are not given more to do; at most so many seconds later. */
const longestResendSeconds = 480;
/** Rows that leave at one time. */
const rowsAtOnce = 1000;
/** Rows and bytes of one message; the platform's bound is 128 KB. */
const rowsPerMessage = 100;
const bytesPerMessage = 96_000;

/** Whose rows leave: the person by name and by pseudonym, and in which of their lives. */
export interface Sender {
  application: string;
  userId: string;
  object: string;
  generation: number;
}

/** Whether a row is to be sent; a time beyond the next one is of a clock that went back since. */
export const isDue = (due: number, now: number): boolean => due <= now || due > now + longestResendSeconds;

/**
 * Sends open rows that are due. A message that the queue does not take keeps no other from being sent; what it said is thrown
 * in the end.
 */
export async function sendDue(
  env: Pick<RecommendationEnv, "INTERACTIONS" | "LOCATIONS">,
  store: SessionStore,
  open: Iterable<Waiting>,
  { application, ...owner }: Sender,
  now: number,
): Promise<void> {
  const due = [...open].filter((row) => isDue(row.due, now)).slice(0, rowsAtOnce);
  if (due.length === 0) return;
  const bodies = store.bodies(due.map(({ id }) => id));
  const failed: unknown[] = [];
  for (const queue of ["interactions", "locations"] satisfies OutboxQueue[]) {
    const leaving = due.flatMap((row) => {
      const body = row.queue === queue ? bodies.get(row.id) : undefined;
      return body === undefined ? [] : [{ row, body }];
    });
    for (const part of parts(leaving)) {
      const rows = part.map(({ row, body }) => ({ ...JSON.parse(body), seq: row.seq }));
      try {
        if (queue === "interactions")
          await env.INTERACTIONS.send({
            application,
            users: [{ ...owner, rows }],
          } satisfies InteractionsMessage);
        else await env.LOCATIONS.send({ application, ...owner, rows } satisfies LocationsMessage);
        for (const { row } of part) {
          row.due = now + row.retryDelay;
          row.retryDelay = Math.min(2 * row.retryDelay, longestResendSeconds);
        }
      } catch (error) {
        failed.push(error);
      }
    }
  }
  if (failed.length > 0) throw failed[0];
}

/** Rows in messages that the queue takes. */
function parts<R extends { body: string }>(rows: R[]): R[][] {
  const list: R[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const last = list.at(-1);
    if (!last || last.length >= rowsPerMessage || bytes + row.body.length > bytesPerMessage) {
      list.push([row]);
      bytes = row.body.length;
    } else {
      last.push(row);
      bytes += row.body.length;
    }
  }
  return list;
}
