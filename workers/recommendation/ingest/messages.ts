import type { InteractionsMessage, PersonRows } from "../../../shared/contracts/queues.ts";

/** Rows of one message: the largest that an event can be, so often, are less than the platform's 128 KB. */
export const rowsPerMessage = 50;

/** Rows of people in messages that the queue takes. */
export function messagesOf(application: string, people: readonly PersonRows[]): InteractionsMessage[] {
  const messages: InteractionsMessage[] = [];
  let room = 0;
  for (const person of people)
    for (let i = 0; i < person.rows.length; ) {
      if (room === 0) {
        messages.push({ application, people: [] });
        room = rowsPerMessage;
      }
      const rows = person.rows.slice(i, i + room);
      messages[messages.length - 1].people.push({ ...person, rows });
      i += rows.length;
      room -= rows.length;
    }
  return messages;
}
