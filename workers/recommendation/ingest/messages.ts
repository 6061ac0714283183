import type { InteractionsMessage, UserRows } from "../../../shared/contracts/queues.ts";

/** Rows of one message: the largest that an event can be, so often, are less than the platform's 128 KB. */
export const rowsPerMessage = 50;

/** Rows of people in messages that the queue takes. */
export function messagesOf(application: string, users: readonly UserRows[]): InteractionsMessage[] {
  const messages: InteractionsMessage[] = [];
  let room = 0;
  for (const user of users)
    for (let i = 0; i < user.rows.length; ) {
      if (room === 0) {
        messages.push({ application, users: [] });
        room = rowsPerMessage;
      }
      const rows = user.rows.slice(i, i + room);
      messages[messages.length - 1].users.push({ ...user, rows });
      i += rows.length;
      room -= rows.length;
    }
  return messages;
}
