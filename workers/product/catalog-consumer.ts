import {
  type DeadLetterWithBody,
  maxDeliveries,
  retryDelaySeconds,
} from "../../shared/contracts/dead-letter.ts";
import { type CatalogMessage, catalogMessage } from "../../shared/contracts/queues.ts";
import { ok, type Result, refuse, unwrap } from "../../shared/contracts/result.ts";
import { DeadLetterStore, validationCause } from "../../shared/dead-letters/dead-letter-store.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import type { LocationApi } from "../../shared/services/location-api.ts";
import { CardCache } from "./card-cache.ts";
import { enqueueWaiting } from "./outbox.ts";
import { productChangesOf } from "./rows.ts";
import { ProductStore } from "./store.ts";

/** Maximum number of changes in one call of the location service. */
const maxChangesPerCall = 500;
/** Cards that one batch may write to KV: a request may make 1,000 calls, and 20 messages make about 180 others. */
const maxCardWritesPerBatch = 750;

/**
 * Processes one message: sends the newest state of its products to the spatial index, refreshes their cards in KV, and
 * closes their outbox rows. Products whose rows are closed already are skipped. Each step may be repeated. Returns how many
 * cards were written to KV. Throws if a step failed, so that the queue delivers the message again.
 */
export async function applyCatalogMessage(
  { application, productIds }: CatalogMessage,
  store: ProductStore,
  cards: CardCache,
  location: Pick<LocationApi, "applyProductChanges">,
): Promise<number> {
  const pending = await store.readPending(application, productIds);
  const changes = pending.flatMap(({ row, leftCells, declared }) =>
    productChangesOf(row, leftCells, declared),
  );
  for (let i = 0; i < changes.length; i += maxChangesPerCall) {
    unwrap(
      await location.applyProductChanges(application, changes.slice(i, i + maxChangesPerCall)),
      "the location service",
    );
  }
  const written = await cards.refreshCached(application, pending);
  await store.closeOutbox(
    application,
    pending.map(({ row }) => ({ productId: row.productId, version: row.version })),
  );
  return written;
}

/**
 * Processes one message, then enqueues as many products of its application that wait in the outbox. Returns how many cards
 * were written to KV.
 */
async function applyAndContinue(
  message: CatalogMessage,
  store: ProductStore,
  cards: CardCache,
  env: Pick<ProductEnv, "LOCATION" | "CATALOGUE">,
): Promise<number> {
  const { application, productIds } = message;
  const written = await applyCatalogMessage(message, store, cards, env.LOCATION);
  // The message is done. Rows that are not enqueued now are enqueued by the cron.
  await enqueueWaiting(env.CATALOGUE, store, application, productIds.length, Date.now() / 1000).catch(
    (error: unknown) => console.error({ event: "catalog change not enqueued", error: errorText(error) }),
  );
  return written;
}

/**
 * Consumes the queue `catalogue` and its dead-letter queue, and acknowledges each message separately. Stores a message
 * that does not match the schema, or fails on its last delivery, as a dead-letter message. Messages whose cards might exceed
 * what a batch may write are left for another batch.
 */
export async function consumeCatalog(batch: MessageBatch, env: ProductEnv): Promise<void> {
  const deadLetters = new DeadLetterStore(env.IMAGES);
  const store = new ProductStore(env.DB);
  const cards = new CardCache(env.CARDS, store);
  let cardWritesLeft = maxCardWritesPerBatch;
  for (const message of batch.messages) {
    try {
      const parsed = catalogMessage.safeParse(message.body);
      if (batch.queue.endsWith("-dead")) await deadLetters.keepExhausted(batch.queue, message);
      else if (!parsed.success) await deadLetters.keep(batch.queue, message, validationCause(parsed.error));
      else if (parsed.data.productIds.length > cardWritesLeft) {
        message.retry();
        continue;
      } else cardWritesLeft -= await applyAndContinue(parsed.data, store, cards, env);
      message.ack();
    } catch (error) {
      console.error({
        event: "catalog message failed",
        attempts: message.attempts,
        error: errorText(error),
      });
      if (message.attempts >= maxDeliveries)
        await deadLetters
          .keep(batch.queue, message, errorText(error))
          .catch((reason: unknown) =>
            console.error({ event: "dead-letter message not stored", error: errorText(reason) }),
          );
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
    }
  }
}

/** Processes a dead-letter message again. Refuses with `conflict` if the message does not match the schema. */
export async function redeliverCatalogMessage(
  env: ProductEnv,
  { body }: DeadLetterWithBody,
): Promise<Result<null>> {
  const parsed = catalogMessage.safeParse(body);
  if (!parsed.success)
    return refuse("conflict", "The message does not match the schema of its queue; discard the message.");
  const store = new ProductStore(env.DB);
  await applyCatalogMessage(parsed.data, store, new CardCache(env.CARDS, store), env.LOCATION);
  return ok(null);
}
