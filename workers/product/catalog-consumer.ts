import {
  type DeadLetterWithBody,
  maxDeliveries,
  retryDelaySeconds,
} from "../../shared/contracts/dead-letter.ts";
import { catalogMessage } from "../../shared/contracts/queues.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { DeadLetterStore, validationCause } from "../../shared/dead-letters/dead-letter-store.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { CardCache } from "./card-cache.ts";
import { applyCatalogMessage } from "./outbox.ts";
import { ProductStore } from "./store.ts";

/**
 * Consumes `catalogue` and its dead letters; each message is acknowledged by itself. What cannot be read, and what fails
 * for the last time, is kept with its cause.
 */
export async function consumeCatalog(batch: MessageBatch, env: ProductEnv): Promise<void> {
  const deadLetters = new DeadLetterStore(env.IMAGES);
  const store = new ProductStore(env.DB);
  const cards = new CardCache(env.CARDS, store);
  for (const message of batch.messages) {
    try {
      const parsed = catalogMessage.safeParse(message.body);
      if (batch.queue.endsWith("-dead")) await deadLetters.keepExhausted(batch.queue, message);
      else if (!parsed.success) await deadLetters.keep(batch.queue, message, validationCause(parsed.error));
      else await applyCatalogMessage(parsed.data, store, cards, env.LOCATION);
      message.ack();
    } catch (error) {
      console.error({
        event: "catalogue message failed",
        attempts: message.attempts,
        error: errorText(error),
      });
      if (message.attempts >= maxDeliveries)
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
export async function redeliverCatalogMessage(
  env: ProductEnv,
  { body }: DeadLetterWithBody,
): Promise<Result<null>> {
  const parsed = catalogMessage.safeParse(body);
  if (!parsed.success)
    return refuse("conflict", "Its message has no known form: it can be discarded, not delivered.");
  const store = new ProductStore(env.DB);
  await applyCatalogMessage(parsed.data, store, new CardCache(env.CARDS, store), env.LOCATION);
  return ok(null);
}
