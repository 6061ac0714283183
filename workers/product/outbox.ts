import type { CatalogMessage } from "../../shared/contracts/queues.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import type { LocationApi } from "../../shared/contracts/services.ts";
import type { Cards } from "./cards.ts";
import { changesOf } from "./rows.ts";
import type { ProductStore } from "./store.ts";

/** Products in one message of the queue `catalogue`. */
const productsPerMessage = 250;
/** An outbox row that was sent so many seconds ago and is still open is sent again. */
const resendSeconds = 30;
/** Rows that one call of {@link resendOutbox} sends at most. */
const rowsPerSettle = 2000;
/** Changes in one call of the spatial index. */
const changesPerCall = 500;

/** Hands products to the queue and notes it. A failure is harmless: their outbox rows stay open. */
export async function send(
  queue: Queue,
  store: ProductStore,
  application: string,
  productIds: string[],
  now: number,
): Promise<void> {
  const messages: MessageSendRequest[] = [];
  for (let i = 0; i < productIds.length; i += productsPerMessage)
    messages.push({ body: { application, productIds: productIds.slice(i, i + productsPerMessage) } });
  for (let i = 0; i < messages.length; i += 100) await queue.sendBatch(messages.slice(i, i + 100));
  await store.markSent(application, productIds, now);
}

/** Sends outbox rows again that no consumer has confirmed. Answers how many are open. */
export async function resendOutbox(queue: Queue, store: ProductStore, now: number): Promise<number> {
  const claimed = await store.claimOutbox(now - resendSeconds, now, rowsPerSettle);
  const byApplication = new Map<string, string[]>();
  for (const { application, productId } of claimed)
    byApplication.set(application, [...(byApplication.get(application) ?? []), productId]);
  for (const [application, productIds] of byApplication)
    await send(queue, store, application, productIds, now);
  return store.open();
}

/**
 * One message: tells the spatial index the newest state of its products, then closes their outbox rows. Those that
 * are closed already are left alone. Each step may run any number of times. Throws where a step failed: the message
 * comes again.
 */
export async function consume(
  { application, productIds }: CatalogMessage,
  store: ProductStore,
  cards: Cards,
  location: Pick<LocationApi, "apply">,
): Promise<void> {
  const pending = await store.pending(application, productIds);
  const changes = pending.flatMap(({ row, leftCells }) => changesOf(row, leftCells));
  for (let i = 0; i < changes.length; i += changesPerCall) {
    unwrap(await location.apply(application, changes.slice(i, i + changesPerCall)), "the spatial index");
  }
  await cards.refreshHeld(application, pending);
  await store.confirm(
    application,
    pending.map(({ row }) => ({ productId: row.productId, version: row.version })),
  );
}
