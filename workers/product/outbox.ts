import type { CatalogMessage } from "../../shared/contracts/queues.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import type { LocationApi } from "../../shared/services/location-api.ts";
import type { CardCache } from "./card-cache.ts";
import { productChangesOf } from "./rows.ts";
import type { ProductStore } from "./store.ts";

/** Products in one message of the queue `catalogue`. */
const maxProductsPerMessage = 250;
/** An outbox row that was sent so many seconds ago and is still open is sent again. */
const resendSeconds = 30;
/** Rows that one call of {@link resendOutbox} sends at most. */
const maxRowsPerResend = 2000;
/** Changes in one call of the spatial index. */
const maxChangesPerCall = 500;

/** Hands products to the queue and notes it. A failure is harmless: their outbox rows stay open. */
export async function enqueueProducts(
  queue: Queue,
  store: ProductStore,
  application: string,
  productIds: string[],
  now: number,
): Promise<void> {
  const messages: MessageSendRequest[] = [];
  for (let i = 0; i < productIds.length; i += maxProductsPerMessage)
    messages.push({ body: { application, productIds: productIds.slice(i, i + maxProductsPerMessage) } });
  for (let i = 0; i < messages.length; i += 100) await queue.sendBatch(messages.slice(i, i + 100));
  await store.markSent(application, productIds, now);
}

/** Sends outbox rows again that no consumer has confirmed. Answers how many are open. */
export async function resendOutbox(queue: Queue, store: ProductStore, now: number): Promise<number> {
  const claimed = await store.claimOutbox(now - resendSeconds, now, maxRowsPerResend);
  const byApplication = new Map<string, string[]>();
  for (const { application, productId } of claimed)
    byApplication.set(application, [...(byApplication.get(application) ?? []), productId]);
  for (const [application, productIds] of byApplication)
    await enqueueProducts(queue, store, application, productIds, now);
  return store.countOpenOutbox();
}

/**
 * One message: tells the spatial index the newest state of its products, then closes their outbox rows. Those that
 * are closed already are left alone. Each step may run any number of times. Throws where a step failed: the message
 * comes again.
 */
export async function applyCatalogMessage(
  { application, productIds }: CatalogMessage,
  store: ProductStore,
  cards: CardCache,
  location: Pick<LocationApi, "applyProductChanges">,
): Promise<void> {
  const pending = await store.readPending(application, productIds);
  const changes = pending.flatMap(({ row, leftCells }) => productChangesOf(row, leftCells));
  for (let i = 0; i < changes.length; i += maxChangesPerCall) {
    unwrap(
      await location.applyProductChanges(application, changes.slice(i, i + maxChangesPerCall)),
      "the spatial index",
    );
  }
  await cards.refreshCached(application, pending);
  await store.closeOutbox(
    application,
    pending.map(({ row }) => ({ productId: row.productId, version: row.version })),
  );
}
