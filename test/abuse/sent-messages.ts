import { type InteractionsMessage, interactionsMessage } from "../../shared/contracts/queues.ts";

const messages: InteractionsMessage[] = [];
/** A message is validated, as the consumer does. */
const keep = async (body: unknown): Promise<void> => void messages.push(interactionsMessage.parse(body));
const drop = async (): Promise<void> => undefined;

/** The messages of the queue `interactions`, which the test delivers. Tests and Durable Objects share the isolate. */
export const sentMessages = {
  queue: {
    send: keep,
    sendBatch: async (batch: Iterable<{ body: unknown }>) => {
      for (const { body } of batch) await keep(body);
    },
  } as unknown as Queue,
  /** A queue whose messages no test reads. */
  dropped: { send: drop, sendBatch: drop } as unknown as Queue,
  /** Returns and removes all messages. */
  take: (): InteractionsMessage[] => messages.splice(0),
};
