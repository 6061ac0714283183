import type { ProductStore } from "./store.ts";

/** Maximum number of products in one message of the queue `catalogue`. */
const maxProductsPerMessage = 250;
/** Seconds after which an outbox row that is still open is enqueued again. */
const resendSeconds = 30;
/** Maximum number of rows that one call of {@link resendOutbox} enqueues. */
const maxRowsPerResend = 2000;
/** Maximum number of messages in one `sendBatch`: the limit of Cloudflare Queues. */
const maxMessagesPerBatch = 100;

/**
 * Enqueues products for the spatial index, and stores when. If it fails, the outbox rows stay open and
 * {@link resendOutbox} enqueues them later.
 */
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
  for (let i = 0; i < messages.length; i += maxMessagesPerBatch)
    await queue.sendBatch(messages.slice(i, i + maxMessagesPerBatch));
  await store.markSent(application, productIds, now);
}

/** Enqueues outbox rows again that no consumer has closed in time. Returns how many. */
export async function resendOutbox(queue: Queue, store: ProductStore, now: number): Promise<number> {
  const claimed = await store.claimOutbox(now - resendSeconds, now, maxRowsPerResend);
  const byApplication = new Map<string, string[]>();
  for (const { application, productId } of claimed)
    byApplication.set(application, [...(byApplication.get(application) ?? []), productId]);
  for (const [application, productIds] of byApplication)
    await enqueueProducts(queue, store, application, productIds, now);
  return claimed.length;
}
