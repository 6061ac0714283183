import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { decodeCursor, pageOf } from "../../shared/contracts/cursor.ts";
import type {
  DeadLetter,
  DeadLetterWithBody,
  ReplayedDeadLetter,
} from "../../shared/contracts/dead-letter.ts";
import { applicationName, categoryName, identifier } from "../../shared/contracts/primitives.ts";
import {
  type CardRequest,
  cardRequest,
  type Product,
  type ProductCard,
  type ProductChange,
  type ProductInput,
  type ProductPatch,
  productInput,
  productPatch,
} from "../../shared/contracts/product.ts";
import { type ProductPosition, productPosition } from "../../shared/contracts/rebuild.ts";
import { ok, parse, type Result, refuse } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retention } from "../../shared/contracts/retention.ts";
import type { Page, PageQuery, ProductApi, Readiness } from "../../shared/contracts/services.ts";
import { removeExpiredDeadLetters } from "../../shared/dead-letters/retention.ts";
import { DeadLetterService } from "../../shared/dead-letters/service.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { Cards } from "./cards.ts";
import { imageBytes, lastImagePosition, putImage } from "./images.ts";
import { resendOutbox, send } from "./outbox.ts";
import { redeliver } from "./queue.ts";
import { changesOf, columnsOf, imagePath, productOf } from "./rows.ts";
import { ProductStore, type StoredProduct } from "./store.ts";

const one = z.object({ application: applicationName, productId: identifier });
const image = one.extend({ n: z.number().int().min(0).max(lastImagePosition) });
const putCall = z.object({ application: applicationName, input: productInput });
const patchCall = one.extend({ patch: productPatch });
const bytesCall = z.object({ application: applicationName, sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const bulkInput = z.object({ application: applicationName, products: z.array(productInput).max(500) });
const cardList = z.object({ application: applicationName, wanted: z.array(cardRequest).max(1000) });
const listQuery = z.object({
  application: applicationName,
  limit: z.number().int().min(1).max(500),
  cursor: z.string().optional(),
  category: categoryName.optional(),
});
const addressPage = z.object({
  application: applicationName,
  after: productPosition.nullable(),
  limit: z.number().int().min(1).max(1000),
});
/** A write looks for what was not announced, at most so often in an isolate. */
const settleSeconds = 10;
/** So many products on their way to the spatial index are everyday business; more are an import. */
const everydayBacklog = 250;
const now = (): number => Date.now() / 1000;
/** What was not announced now is announced later: it is only noted. */
const noteFailure = (reason: unknown): void =>
  console.error({ event: "catalogue change not announced", error: errorText(reason) });
const unknownProduct = refuse("not_found", "There is no such product.");

/** The catalogue. */
export class ProductService extends WorkerEntrypoint<ProductEnv> implements ProductApi {
  /** When a write last looked for what was not announced, in this isolate. */
  static #settledAt = 0;

  get #store(): ProductStore {
    return new ProductStore(this.env.DB);
  }
  get #cards(): Cards {
    return new Cards(this.env.CARDS, this.#store);
  }

  async #read(application: string, productId: string): Promise<StoredProduct | null> {
    const [stored] = await this.#store.read(application, [productId]);
    return stored && stored.row.deleted === 0 ? stored : null;
  }

  /** After a committed write: cards that must be seen at once, and the queue. */
  async #announce(application: string, productIds: string[], changed: StoredProduct[]): Promise<void> {
    const time = now();
    const steps = await Promise.allSettled([
      this.#cards.refresh(application, changed),
      send(this.env.CATALOGUE, this.#store, application, productIds, time),
    ]);
    // The write is committed whatever fails here: its outbox row is open, and the consumer does both again.
    for (const step of steps) if (step.status === "rejected") noteFailure(step.reason);
    if (time < ProductService.#settledAt + settleSeconds) return;
    ProductService.#settledAt = time;
    this.ctx.waitUntil(this.resendOutbox().catch(noteFailure));
  }

  /** After a write to one product. Answers it as it is now. */
  async #written(application: string, productId: string): Promise<StoredProduct> {
    const [stored] = await this.#store.read(application, [productId]);
    await this.#announce(application, [productId], [stored]);
    return stored;
  }

  async put(
    application: string,
    input: ProductInput,
  ): Promise<Result<{ product: Product; created: boolean }>> {
    const parsed = parse(putCall, {
      application,
      input,
    });
    if (!parsed.ok) return parsed;
    const known = await this.#read(application, input.id);
    await this.#store.write(application, [parsed.value.input], now());
    const written = await this.#written(application, input.id);
    return ok({ product: productOf(written.row, written.images), created: known === null });
  }

  async get(application: string, productId: string): Promise<Result<Product>> {
    const parsed = parse(one, { application, productId });
    if (!parsed.ok) return parsed;
    const stored = await this.#read(application, productId);
    return stored ? ok(productOf(stored.row, stored.images)) : unknownProduct;
  }

  async patch(application: string, productId: string, patch: ProductPatch): Promise<Result<Product>> {
    const parsed = parse(patchCall, { application, productId, patch });
    if (!parsed.ok) return parsed;
    const changes = columnsOf(productId, parsed.value.patch);
    if (!(await this.#store.patch(application, productId, changes, now()))) return unknownProduct;
    const written = await this.#written(application, productId);
    return ok(productOf(written.row, written.images));
  }

  async remove(application: string, productId: string): Promise<Result<null>> {
    const parsed = parse(one, { application, productId });
    if (!parsed.ok) return parsed;
    if (!(await this.#store.remove(application, productId, now()))) return unknownProduct;
    await this.#written(application, productId);
    return ok(null);
  }

  async list(application: string, query: PageQuery & { category?: string }): Promise<Result<Page<Product>>> {
    const parsed = parse(listQuery, { application, ...query });
    if (!parsed.ok) return parsed;
    const after = decodeCursor(z.string(), query.cursor);
    if (!after.ok) return after;
    const found = await this.#store.list(application, query.limit + 1, after.value, query.category);
    return ok(
      pageOf(
        found,
        query.limit,
        ({ row, images }) => productOf(row, images),
        ({ row }) => row.productId,
      ),
    );
  }

  async bulk(application: string, products: ProductInput[]): Promise<Result<{ written: number }>> {
    const parsed = parse(bulkInput, { application, products });
    if (!parsed.ok) return parsed;
    const newest = new Map(parsed.value.products.map((each) => [each.id, each]));
    await this.#store.write(application, [...newest.values()], now());
    // Cards of many are left to the consumer: within seconds, not at once.
    await this.#announce(application, [...newest.keys()], []);
    return ok({ written: newest.size });
  }

  async cards(application: string, wanted: readonly CardRequest[]): Promise<Result<ProductCard[]>> {
    const parsed = parse(cardList, { application, wanted });
    if (!parsed.ok) return parsed;
    return ok(await this.#cards.get(application, parsed.value.wanted, (work) => this.ctx.waitUntil(work)));
  }

  async putImage(
    application: string,
    productId: string,
    n: number,
    bytes: ArrayBuffer,
  ): Promise<Result<{ path: string; sha256: string; contentType: string }>> {
    const parsed = parse(image, { application, productId, n });
    if (!parsed.ok) return parsed;
    const done = await putImage(this.#store, this.env.IMAGES, application, productId, n, bytes, now());
    if (done.ok) await this.#written(application, productId);
    return done;
  }

  async imagePath(application: string, productId: string, n: number): Promise<Result<{ path: string }>> {
    const parsed = parse(image, { application, productId, n });
    if (!parsed.ok) return parsed;
    const sha256 = await this.#store.imageAt(application, productId, n);
    return sha256
      ? ok({ path: imagePath(application, sha256) })
      : refuse("not_found", "There is no such image.");
  }

  async imageBytes(
    application: string,
    sha256: string,
  ): Promise<Result<{ bytes: ArrayBuffer; contentType: string }>> {
    const parsed = parse(bytesCall, {
      application,
      sha256,
    });
    return parsed.ok ? imageBytes(this.env.IMAGES, application, sha256) : parsed;
  }

  async byAddress(
    application: string,
    after: ProductPosition | null,
    limit: number,
  ): Promise<Result<{ cell: string; change: ProductChange }[]>> {
    const parsed = parse(addressPage, { application, after, limit });
    if (!parsed.ok) return parsed;
    const rows = await this.#store.byAddress(application, parsed.value.after, limit);
    return ok(rows.flatMap((row) => changesOf(row, []).map((change) => ({ cell: row.cell, change }))));
  }

  async resendOutbox(): Promise<Result<{ open: number }>> {
    return ok({ open: await resendOutbox(this.env.CATALOGUE, this.#store, now()) });
  }

  get #letters(): DeadLetterService {
    return new DeadLetterService(this.env.IMAGES, (deadLetter) => redeliver(this.env, deadLetter));
  }

  deadLetters(application: string, query: PageQuery): Promise<Result<Page<DeadLetter>>> {
    return this.#letters.deadLetters(application, query);
  }

  deadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>> {
    return this.#letters.deadLetter(application, id);
  }

  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>> {
    return this.#letters.replayDeadLetter(application, id);
  }

  discardDeadLetter(application: string, id: string): Promise<Result<null>> {
    return this.#letters.discardDeadLetter(application, id);
  }

  async retain(input: Retention): Promise<Result<RemovedCounts>> {
    const parsed = parse(retention, input);
    return parsed.ok
      ? ok(await removeExpiredDeadLetters(this.env.IMAGES, parsed.value, Date.now() / 1000))
      : parsed;
  }

  async ready(): Promise<Readiness> {
    try {
      const open = await this.#store.open();
      return {
        ready: open <= everydayBacklog,
        detail: open <= everydayBacklog ? "ready" : `${open} products on their way to the spatial index`,
      };
    } catch {
      return { ready: false, detail: "its database is not migrated" };
    }
  }
}
