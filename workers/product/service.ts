import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import type { ApplicationsShare } from "../../shared/contracts/applications-share.ts";
import {
  type CatalogSchema,
  type CatalogSchemaInput,
  catalogSchemaInput,
} from "../../shared/contracts/catalog-schema.ts";
import { decodeCursor, toPage } from "../../shared/contracts/cursor.ts";
import type {
  DeadLetter,
  DeadLetterWithBody,
  ReplayedDeadLetter,
} from "../../shared/contracts/dead-letter.ts";
import { imageId, lastImagePosition, type StoredImage } from "../../shared/contracts/image.ts";
import type { Page, PageQuery } from "../../shared/contracts/page.ts";
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
import { type InputIssue, ok, parse, type Result, refuse } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retentionCall } from "../../shared/contracts/retention.ts";
import { DeadLetterService } from "../../shared/dead-letters/dead-letter-service.ts";
import { removeExpiredDeadLetters } from "../../shared/dead-letters/remove-expired-dead-letters.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import type { ProductApi, WrittenProducts } from "../../shared/services/product-api.ts";
import type { Readiness } from "../../shared/services/worker-api.ts";
import { CardCache } from "./card-cache.ts";
import { redeliverCatalogMessage } from "./catalog-consumer.ts";
import { misfitOf } from "./column-values.ts";
import { ImageStore } from "./images/image-store.ts";
import { Images } from "./images/images.ts";
import { enqueueProducts, resendOutbox } from "./outbox.ts";
import { patchProduct } from "./patch-product.ts";
import { publishSchema, publishSchemas } from "./publish-schema.ts";
import { productChangesOf, productOf } from "./rows.ts";
import { catalogSchemaOf, SchemaStore } from "./schema-store.ts";
import { type IndexedProduct, ProductStore } from "./store.ts";

const productCall = z.object({ application: applicationName, productId: identifier });
const imageCall = productCall.extend({ n: z.number().int().min(0).max(lastImagePosition) });
const putCall = z.object({ application: applicationName, input: productInput });
const patchCall = productCall.extend({ patch: productPatch });
const putManyCall = z.object({ application: applicationName, products: z.array(productInput).max(500) });
const getCardsCall = z.object({ application: applicationName, wanted: z.array(cardRequest).max(1000) });
const schemaCall = z.object({ application: applicationName, input: catalogSchemaInput });
const listCall = z.object({
  application: applicationName,
  limit: z.number().int().min(1).max(500),
  cursor: z.string().optional(),
  category: categoryName.optional(),
});
/** Position of a cursor. Cursors of the release before hold the id only. */
const listPosition = z.union([z.string(), z.object({ productId: z.string(), category: z.string() })]);
const listByAddressCall = z.object({
  application: applicationName,
  after: productPosition.nullable(),
  limit: z.number().int().min(1).max(1000),
});
/** Seconds between two checks of the outbox for unsent rows, which writes trigger in each isolate. */
const resendCheckSeconds = 10;
/**
 * Open outbox rows of an application up to which the worker is ready for it. More rows mean that the spatial index lags, as during an import.
 */
const maxReadyBacklog = 250;
const now = (): number => Date.now() / 1000;
/** Logs a failed cache refresh or enqueue. The open outbox row makes a later call repeat both. */
const logEnqueueFailure = (reason: unknown): void =>
  console.error({ event: "catalog change not enqueued", error: errorText(reason) });
/** Logs a failed step of the job that publishes a schema. The cron repeats it. */
const logPublicationFailure = (reason: unknown): void =>
  console.error({ event: "catalog schema not published", error: errorText(reason) });
/** Refuses a product one of whose attributes does not fit its declared type. */
const refuseMisfit = (issue: InputIssue) =>
  refuse("invalid_input", "An attribute of the product does not fit the catalog's schema.", {
    issues: [issue],
  });
const unknownProduct = refuse("not_found", "There is no product with this id.");

/**
 * RPC entry point of the product worker. Parses the input and delegates to {@link ProductStore}; see {@link
 * ProductApi}.
 */
export class ProductService extends WorkerEntrypoint<ProductEnv> implements ProductApi {
  /** When a write in this isolate last checked the outbox, in seconds since the Unix epoch. */
  static #resendCheckedAt = 0;

  get #store(): ProductStore {
    return new ProductStore(this.env.DB);
  }
  get #schemas(): SchemaStore {
    return new SchemaStore(this.env.DB);
  }
  get #images(): Images {
    return new Images(new ImageStore(this.env.DB), this.env.IMAGES);
  }
  get #cards(): CardCache {
    return new CardCache(this.env.CARDS, this.#store);
  }

  /** Returns a product that is not deleted, or null. */
  async #readExisting(application: string, productId: string): Promise<IndexedProduct | null> {
    const [stored] = await this.#store.read(application, [productId]);
    return stored && stored.row.deleted === 0 ? stored : null;
  }

  /**
   * Refreshes the cards of `changed` products in KV and enqueues `productIds` for the spatial index, after a committed
   * write.
   */
  async #publishWrite(application: string, productIds: string[], changed: IndexedProduct[]): Promise<void> {
    const time = now();
    const steps = await Promise.allSettled([
      this.#cards.refresh(application, changed),
      enqueueProducts(this.env.CATALOGUE, this.#store, application, productIds, time),
    ]);
    // The write is committed, so a failure here does not fail the call. The outbox row is open, and the consumer
    // repeats both steps.
    for (const step of steps) if (step.status === "rejected") logEnqueueFailure(step.reason);
    if (time < ProductService.#resendCheckedAt + resendCheckSeconds) return;
    ProductService.#resendCheckedAt = time;
    this.ctx.waitUntil(this.resendOutbox().catch(logEnqueueFailure));
  }

  /** Publishes a committed write to one product. Returns the stored product. */
  async #publishProduct(application: string, productId: string): Promise<IndexedProduct> {
    const [stored] = await this.#store.read(application, [productId]);
    await this.#publishWrite(application, [productId], [stored]);
    return stored;
  }

  async put(
    application: string,
    input: ProductInput,
  ): Promise<Result<{ product: Product; created: boolean }>> {
    const parsed = parse(putCall, { application, input });
    if (!parsed.ok) return parsed;
    const declared = await this.#store.declared(application);
    const misfit = misfitOf(parsed.value.input.attributes, declared);
    if (misfit) return refuseMisfit(misfit);
    const known = await this.#readExisting(application, input.id);
    await this.#store.upsert(application, [parsed.value.input], now());
    const written = await this.#publishProduct(application, input.id);
    return ok({ product: productOf(written.row, written.images), created: known === null });
  }

  async get(application: string, productId: string): Promise<Result<Product>> {
    const parsed = parse(productCall, { application, productId });
    if (!parsed.ok) return parsed;
    const stored = await this.#readExisting(application, productId);
    return stored ? ok(productOf(stored.row, stored.images)) : unknownProduct;
  }

  async patch(application: string, productId: string, patch: ProductPatch): Promise<Result<Product>> {
    const parsed = parse(patchCall, { application, productId, patch });
    if (!parsed.ok) return parsed;
    const { attributes } = parsed.value.patch;
    const misfit = attributes && misfitOf(attributes, await this.#store.declared(application));
    if (misfit) return refuseMisfit(misfit);
    const changed = await patchProduct(this.#store, application, productId, parsed.value.patch, now());
    if (!changed.ok) return changed;
    const written = await this.#publishProduct(application, productId);
    return ok(productOf(written.row, written.images));
  }

  async remove(application: string, productId: string): Promise<Result<null>> {
    const parsed = parse(productCall, { application, productId });
    if (!parsed.ok) return parsed;
    if (!(await this.#store.remove(application, productId, now()))) return unknownProduct;
    await this.#publishProduct(application, productId);
    await this.#removeDeletedImages();
    return ok(null);
  }

  async list(application: string, query: PageQuery & { category?: string }): Promise<Result<Page<Product>>> {
    const parsed = parse(listCall, { application, ...query });
    if (!parsed.ok) return parsed;
    const { limit, cursor, category } = query;
    const position = decodeCursor(listPosition, cursor);
    if (!position.ok) return position;
    const after =
      typeof position.value === "string"
        ? { productId: position.value, category: category ?? "" }
        : position.value;
    const found = await this.#store.list(application, limit + 1, after, category);
    return ok(
      toPage(
        found,
        limit,
        ({ row, images }) => productOf(row, images),
        ({ row }) => ({ productId: row.productId, category: row.category }),
      ),
    );
  }

  async putMany(application: string, products: ProductInput[]): Promise<Result<WrittenProducts>> {
    const parsed = parse(putManyCall, { application, products });
    if (!parsed.ok) return parsed;
    const declared = await this.#store.declared(application);
    const rejected = parsed.value.products.flatMap(({ attributes }, index) => {
      const misfit = misfitOf(attributes, declared);
      return misfit ? [{ index, ...misfit }] : [];
    });
    const refused = new Set(rejected.map(({ index }) => index));
    const fitting = parsed.value.products.filter((_, index) => !refused.has(index));
    const newest = new Map(fitting.map((each) => [each.id, each]));
    if (newest.size === 0) return ok({ written: 0, rejected });
    await this.#store.upsert(application, [...newest.values()], now());
    // The consumer refreshes the cards of a bulk write within seconds.
    await this.#publishWrite(application, [...newest.keys()], []);
    return ok({ written: newest.size, rejected });
  }

  async getSchema(application: string): Promise<Result<CatalogSchema>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? ok(catalogSchemaOf(await this.#schemas.read(parsed.value))) : parsed;
  }

  async putSchema(application: string, input: CatalogSchemaInput): Promise<Result<CatalogSchema>> {
    const parsed = parse(schemaCall, { application, input });
    if (!parsed.ok) return parsed;
    const stored = await this.#schemas.replace(application, parsed.value.input.attributes, now());
    if (!stored) return refuse("conflict", "Another call changed the schema; retry the request.");
    this.ctx.waitUntil(
      publishSchema(this.#schemas, application)
        .then(() => this.resendOutbox())
        .catch(logPublicationFailure),
    );
    return ok(catalogSchemaOf(stored));
  }

  async getCards(application: string, wanted: readonly CardRequest[]): Promise<Result<ProductCard[]>> {
    const parsed = parse(getCardsCall, { application, wanted: [...wanted] });
    if (!parsed.ok) return parsed;
    return ok(await this.#cards.get(application, parsed.value.wanted, (work) => this.ctx.waitUntil(work)));
  }

  async putImage(
    application: string,
    productId: string,
    n: number,
    bytes: ArrayBuffer,
  ): Promise<Result<StoredImage>> {
    const parsed = parse(imageCall, { application, productId, n });
    if (!parsed.ok) return parsed;
    const done = await this.#images.put(application, productId, n, bytes, now());
    if (done.ok) await this.#publishImages(application, productId);
    return done;
  }

  async deleteImage(application: string, productId: string, n: number): Promise<Result<null>> {
    const parsed = parse(imageCall, { application, productId, n });
    if (!parsed.ok) return parsed;
    const done = await this.#images.delete(application, productId, n, now());
    if (done.ok) await this.#publishImages(application, productId);
    return done;
  }

  /** Publishes a committed change of a product's images, then deletes the bytes that no product shows any more. */
  async #publishImages(application: string, productId: string): Promise<void> {
    await this.#publishProduct(application, productId);
    await this.#removeDeletedImages();
  }

  /** The change is committed, so a failure does not fail the call: the cron calls {@link resendOutbox}, which repeats. */
  async #removeDeletedImages(): Promise<void> {
    await this.#images
      .removeDeleted(now())
      .catch((error: unknown) =>
        console.error({ event: "deleted images not removed", error: errorText(error) }),
      );
  }

  async imagePath(application: string, productId: string, n: number): Promise<Result<{ path: string }>> {
    const parsed = parse(imageCall, { application, productId, n });
    return parsed.ok ? this.#images.path(application, productId, n) : parsed;
  }

  async readImage(
    id: string,
    isKnown: boolean,
  ): Promise<Result<{ bytes: ArrayBuffer | null; contentType: string }>> {
    const parsed = parse(imageId, id);
    return parsed.ok ? this.#images.read(parsed.value, isKnown) : parsed;
  }

  async listByAddress(
    application: string,
    after: ProductPosition | null,
    limit: number,
  ): Promise<Result<{ cell: string; change: ProductChange }[]>> {
    const parsed = parse(listByAddressCall, { application, after, limit });
    if (!parsed.ok) return parsed;
    const { rows, declared } = await this.#store.listByAddress(application, parsed.value.after, limit);
    return ok(
      rows.flatMap((row) =>
        productChangesOf(row, [], declared).map((change) => ({ cell: row.cell, change })),
      ),
    );
  }

  async resendOutbox(): Promise<Result<{ resent: number }>> {
    await this.#removeDeletedImages();
    await publishSchemas(this.#schemas).catch(logPublicationFailure);
    return ok({ resent: await resendOutbox(this.env.CATALOGUE, this.#store, now()) });
  }

  get #deadLetters(): DeadLetterService {
    return new DeadLetterService(this.env.IMAGES, (deadLetter) =>
      redeliverCatalogMessage(this.env, deadLetter),
    );
  }

  listDeadLetters(application: string, query: PageQuery): Promise<Result<Page<DeadLetter>>> {
    return this.#deadLetters.listDeadLetters(application, query);
  }

  getDeadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>> {
    return this.#deadLetters.getDeadLetter(application, id);
  }

  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>> {
    return this.#deadLetters.replayDeadLetter(application, id);
  }

  discardDeadLetter(application: string, id: string): Promise<Result<null>> {
    return this.#deadLetters.discardDeadLetter(application, id);
  }

  async applyRetention(input: Retention, share: ApplicationsShare): Promise<Result<RemovedCounts>> {
    const parsed = parse(retentionCall, { input, share });
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    return ok(await removeExpiredDeadLetters(this.env.IMAGES, value.input, now(), value.share));
  }

  async ready(application: string | null): Promise<Readiness> {
    try {
      // The import of one application makes the worker ready or not for no other. Without an application, the query
      // only shows that the database can be read.
      const open = await this.#store.countOpenOutbox(application ?? "", maxReadyBacklog + 1);
      return {
        ready: open <= maxReadyBacklog,
        detail:
          open <= maxReadyBacklog
            ? "ready"
            : `more than ${maxReadyBacklog} products wait for the spatial index`,
      };
    } catch {
      return { ready: false, detail: "the product database cannot be read: apply migrations/product" };
    }
  }
}
