import type { CatalogSchema, CatalogSchemaInput } from "../contracts/catalog-schema.ts";
import type { StoredImage } from "../contracts/image.ts";
import type { Page, PageQuery } from "../contracts/page.ts";
import type {
  CardRequest,
  Product,
  ProductCard,
  ProductChange,
  ProductInput,
  ProductPatch,
} from "../contracts/product.ts";
import type { ProductPosition } from "../contracts/rebuild.ts";
import type { Result } from "../contracts/result.ts";
import type { DeadLetterApi } from "./dead-letter-api.ts";
import type { ReadinessApi, RetentionApi } from "./worker-api.ts";

/** What {@link ProductApi.putMany} wrote. */
export interface WrittenProducts {
  written: number;
  /** Products with an attribute that does not fit its declared type: their positions in the call, ascending. */
  rejected: { index: number; path: string; message: string }[];
}

/** RPC interface of the product worker: the catalog, product images, and the outbox to the spatial index. */
export interface ProductApi extends ReadinessApi, RetentionApi, DeadLetterApi {
  /** Creates or replaces a product. Returns it, and whether it is new. */
  put(application: string, input: ProductInput): Promise<Result<{ product: Product; created: boolean }>>;
  /** Returns a product; refuses with `not_found` if it does not exist or is deleted. */
  get(application: string, productId: string): Promise<Result<Product>>;
  /** Changes the given fields of a product; refuses with `not_found` if it does not exist. */
  patch(application: string, productId: string, patch: ProductPatch): Promise<Result<Product>>;
  /** Deletes a product and its images; refuses with `not_found` if it does not exist. */
  remove(application: string, productId: string): Promise<Result<null>>;
  /** Lists products by id, ascending, optionally of one category; at most 500 a page. */
  list(application: string, page: PageQuery & { category?: string }): Promise<Result<Page<Product>>>;
  /** Creates or replaces at most 500 products; the last of equal ids wins. Cards in KV change within seconds. */
  putMany(application: string, products: ProductInput[]): Promise<Result<WrittenProducts>>;
  /** Returns the declared attributes, and how far their publication is. */
  getSchema(application: string): Promise<Result<CatalogSchema>>;
  /**
   * Replaces the declared attributes. A job publishes the columns that change, while everything serves. Refuses with
   * `conflict` if another call changed the schema meanwhile.
   */
  putSchema(application: string, input: CatalogSchemaInput): Promise<Result<CatalogSchema>>;
  /**
   * Returns the cards of those products (at most 1,000) that exist, in any order. The recommendation worker calls it.
   */
  getCards(application: string, wanted: readonly CardRequest[]): Promise<Result<ProductCard[]>>;
  /**
   * Stores the image at position `n` (0 to 9) without its metadata: JPEG, PNG, WebP or AVIF by content, at most 5 MiB.
   * The image that was there is deleted.
   */
  putImage(
    application: string,
    productId: string,
    n: number,
    bytes: ArrayBuffer,
  ): Promise<Result<StoredImage>>;
  /** Deletes the image at position `n`; refuses with `not_found` if there is none. */
  deleteImage(application: string, productId: string, n: number): Promise<Result<null>>;
  /** Returns the path of the image at position `n` (0 to 9). */
  imagePath(application: string, productId: string, n: number): Promise<Result<{ path: string }>>;
  /**
   * Returns an image by its public id; no bytes if `isKnown`, where the client has them. Refuses with `not_found` once
   * the image is replaced or deleted.
   */
  readImage(
    id: string,
    isKnown: boolean,
  ): Promise<Result<{ bytes: ArrayBuffer | null; contentType: string }>>;
  /**
   * Lists the next `limit` products (at most 1,000) after `after`, by address and id. A rebuild of cells reads them.
   */
  listByAddress(
    application: string,
    after: ProductPosition | null,
    limit: number,
  ): Promise<Result<{ cell: string; change: ProductChange }[]>>;
  /**
   * Enqueues the outbox rows again that no consumer has closed, deletes the bytes of images that no product shows, and
   * advances the publication of changed schemas.
   * Returns how many rows it enqueued. The gateway's cron calls it.
   */
  resendOutbox(): Promise<Result<{ resent: number }>>;
}
