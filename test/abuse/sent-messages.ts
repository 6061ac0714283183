import { type InteractionsMessage, interactionsMessage } from "../../shared/contracts/queues.ts";
import { queueOf } from "../../shared/testing/queue-of.ts";

const messages: InteractionsMessage[] = [];

/** The messages of the queue `interactions`, which the test delivers. Tests and Durable Objects share the isolate. */
export const sentMessages = {
  /** A message is validated, as the consumer does. */
  queue: queueOf(async (body) => void messages.push(interactionsMessage.parse(body))),
  /** A queue whose messages no test reads. */
  dropped: queueOf(async () => undefined),
  /** Returns and removes all messages. */
  take: (): InteractionsMessage[] => messages.splice(0),
};
