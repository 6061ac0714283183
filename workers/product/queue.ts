import { deadLetterKey, retryDelaySeconds } from "../shared/contracts/dead-letter.ts";
import { catalogueMessage } from "../shared/contracts/queues.ts";
import { Cards } from "./cards.ts";
import { consume } from "./catalogue.ts";
import { ProductStore } from "./store.ts";

/** Keeps a message that cannot be consumed, with its cause. */
async function keep(env: ProductEnv, queue: string, message: Message, cause: string): Promise<void> {
  await env.IMAGES.put(
    deadLetterKey(queue, message.id),
    JSON.stringify({ queue, cause, attempts: message.attempts, time: message.timestamp, body: message.body }),
  );
}

/** Consumes `catalogue` and its dead letters; each message is acknowledged by itself. */
export async function queue(batch: MessageBatch, env: ProductEnv): Promise<void> {
  const store = new ProductStore(env.DB);
  const cards = new Cards(env.CARDS, store);
  for (const message of batch.messages) {
    try {
      const parsed = catalogueMessage.safeParse(message.body);
      if (batch.queue.endsWith("-dead")) await keep(env, batch.queue, message, "retries exhausted");
      else if (!parsed.success) await keep(env, batch.queue, message, parsed.error.message);
      else await consume(parsed.data, store, cards, env.LOCATION);
      message.ack();
    } catch (error) {
      console.error({ event: "catalogue message failed", attempts: message.attempts, error: String(error) });
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
    }
  }
}
