import {
  type DeadLetterWithBody,
  maxAttempts,
  retryDelaySeconds,
} from "../../shared/contracts/dead-letter.ts";
import { catalogMessage } from "../../shared/contracts/queues.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { causeOf, DeadLetterStore } from "../../shared/dead-letters/store.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { Cards } from "./cards.ts";
import { consume } from "./outbox.ts";
import { ProductStore } from "./store.ts";

/**
 * Consumes `catalogue` and its dead letters; each message is acknowledged by itself. What cannot be read, and what fails
 * for the last time, is kept with its cause.
 */
export async function queue(batch: MessageBatch, env: ProductEnv): Promise<void> {
  const deadLetters = new DeadLetterStore(env.IMAGES);
  const store = new ProductStore(env.DB);
  const cards = new Cards(env.CARDS, store);
  for (const message of batch.messages) {
    try {
      const parsed = catalogMessage.safeParse(message.body);
      if (batch.queue.endsWith("-dead")) await deadLetters.keepGivenUp(batch.queue, message);
      else if (!parsed.success) await deadLetters.keep(batch.queue, message, causeOf(parsed.error));
      else await consume(parsed.data, store, cards, env.LOCATION);
      message.ack();
    } catch (error) {
      console.error({
        event: "catalogue message failed",
        attempts: message.attempts,
        error: errorText(error),
      });
      if (message.attempts >= maxAttempts)
        await deadLetters
          .keep(batch.queue, message, errorText(error))
          .catch((reason: unknown) =>
            console.error({ event: "dead letter not kept", error: errorText(reason) }),
          );
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
    }
  }
}

/** Does what a dead letter's message asks for. */
export async function redeliver(env: ProductEnv, { body }: DeadLetterWithBody): Promise<Result<null>> {
  const parsed = catalogMessage.safeParse(body);
  if (!parsed.success)
    return refuse("conflict", "Its message has no known form: it can be discarded, not delivered.");
  const store = new ProductStore(env.DB);
  await consume(parsed.data, store, new Cards(env.CARDS, store), env.LOCATION);
  return ok(null);
}
