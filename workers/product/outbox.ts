import { eachApplication } from "../../shared/async/each-application.ts";
import type { ProductStore } from "./store.ts";

/** Maximum number of products in one message of the queue `catalogue`. */
const maxProductsPerMessage = 250;
/** Seconds after which an outbox row that is still open is enqueued again. */
const resendSeconds = 30;
/**
 * Maximum number of an application's products that wait in the queue: 20 full messages. The others wait in the outbox, so
 * that the messages of a large import do not stand before those of other applications.
 */
const maxQueuedProducts = 5000;
/** Maximum number of applications whose rows one call of {@link resendOutbox} enqueues. */
const maxApplicationsPerResend = 100;
/** Maximum number of messages in one `sendBatch`: the limit of Cloudflare Queues. */
const maxMessagesPerBatch = 100;

async function sendMessages(queue: Queue, application: string, productIds: string[]): Promise<void> {
  const messages: MessageSendRequest[] = [];
  for (let i = 0; i < productIds.length; i += maxProductsPerMessage)
    messages.push({ body: { application, productIds: productIds.slice(i, i + maxProductsPerMessage) } });
  for (let i = 0; i < messages.length; i += maxMessagesPerBatch)
    await queue.sendBatch(messages.slice(i, i + maxMessagesPerBatch));
}

/** Returns how many more of an application's products may wait in the queue. */
async function freePlaces(store: ProductStore, application: string, now: number): Promise<number> {
  return maxQueuedProducts - (await store.countSent(application, now - resendSeconds, maxQueuedProducts));
}

/**
 * Enqueues products for the spatial index, and stores when. Those that find no place in the queue follow by
 * {@link enqueueWaiting}. If it fails, the outbox rows stay open and {@link resendOutbox} enqueues them later.
 */
export async function enqueueProducts(
  queue: Queue,
  store: ProductStore,
  application: string,
  productIds: string[],
  now: number,
): Promise<void> {
  const sent = productIds.slice(0, await freePlaces(store, application, now));
  await sendMessages(queue, application, sent);
  await store.markSent(application, sent, now);
}

/**
 * Enqueues up to `places` products of an application that were never sent. The consumer calls it after each message, so
 * that an import goes on in the places that it leaves.
 */
export async function enqueueWaiting(
  queue: Queue,
  store: ProductStore,
  application: string,
  places: number,
  now: number,
): Promise<void> {
  await sendMessages(queue, application, await store.claimOutbox(application, Number.MIN_VALUE, now, places));
}

/**
 * Enqueues outbox rows again that no consumer has closed in time, of each application in turn. Returns how many.
 */
export async function resendOutbox(queue: Queue, store: ProductStore, now: number): Promise<number> {
  const applications = await store.applicationsWithOpenRows();
  // Where there are too many, each call begins elsewhere.
  const first = applications.length > maxApplicationsPerResend ? Math.floor(now) % applications.length : 0;
  const turn = [...applications.slice(first), ...applications.slice(0, first)];
  let resent = 0;
  await eachApplication(
    turn.slice(0, maxApplicationsPerResend),
    "catalog change not enqueued",
    async (application) => {
      const places = await freePlaces(store, application, now);
      const claimed = await store.claimOutbox(application, now - resendSeconds, now, places);
      await sendMessages(queue, application, claimed);
      resent += claimed.length;
    },
  );
  return resent;
}
