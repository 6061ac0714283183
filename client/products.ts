import type * as z from "zod";
import type { CatalogSchema, catalogSchemaInput } from "../shared/contracts/catalog-schema.ts";
import type { StoredImage } from "../shared/contracts/image.ts";
import type { Page } from "../shared/contracts/page.ts";
import type {
  BulkReport,
  Product,
  ProductWithTotals,
  productInput,
  productPatch,
} from "../shared/contracts/product.ts";
import type { RecommendationList } from "../shared/contracts/recommendation.ts";
import type { Written } from "../shared/contracts/warning.ts";
import type { ListOptions } from "./list-options.ts";
import { idInPath, type Transport, toJsonBody, toNdjsonBody } from "./transport.ts";

type ProductToWrite = z.input<typeof productInput>;
const productPath = (productId: string): string => `/v1/products/${idInPath(productId)}`;

/**
 * Reads and writes the catalog.
 *
 * @example
 * await vicinity.products.put({
 *   id: "espresso-1",
 *   title: "Espresso",
 *   category: "coffee",
 *   price: 2.5,
 *   currency: "EUR",
 *   location: { lat: 48.85, lon: 2.35 },
 * });
 * const { items } = await vicinity.products.similar("espresso-1", { limit: 5 });
 */
export class Products {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists products by id, ascending, optionally of one category. */
  async list(page: { limit?: number; cursor?: string; category?: string } = {}): Promise<Page<Product>> {
    return this.#transport.call("GET", "/v1/products", page);
  }
  /** Creates or replaces a product. `warnings` says what was not stored as it was sent. */
  async put({ id, ...product }: ProductToWrite): Promise<Written<Product>> {
    return this.#transport.call("PUT", productPath(id), {}, toJsonBody(product));
  }
  /** Creates or replaces up to 10,000 products. */
  async putMany(products: readonly ProductToWrite[]): Promise<BulkReport> {
    return this.#transport.call("POST", "/v1/products/bulk", {}, toNdjsonBody(products));
  }
  /** Returns a product with the lifetime counts of its interactions. */
  async get(productId: string): Promise<ProductWithTotals> {
    return this.#transport.call("GET", productPath(productId));
  }
  /** Changes the given fields of a product. */
  async patch(productId: string, changes: z.input<typeof productPatch>): Promise<Written<Product>> {
    return this.#transport.call("PATCH", productPath(productId), {}, toJsonBody(changes));
  }
  /** Deletes a product and its images. */
  async remove(productId: string): Promise<void> {
    await this.#transport.send("DELETE", productPath(productId));
  }
  /**
   * Stores the image at position `n` (0 to 9), without its metadata: JPEG, PNG, WebP or AVIF, at most 5 MiB. Returns
   * its public path. The image that was there is deleted.
   */
  async putImage(productId: string, n: number, image: Blob): Promise<StoredImage> {
    const body = { type: image.type || "application/octet-stream", content: image };
    return this.#transport.call("PUT", `${productPath(productId)}/images/${n}`, {}, body);
  }
  /** Deletes the image at position `n`. Its path answers 404 at once; browsers may show it for five minutes more. */
  async deleteImage(productId: string, n: number): Promise<void> {
    await this.#transport.send("DELETE", `${productPath(productId)}/images/${n}`);
  }
  /** Returns the declared attributes, and how far their publication is. */
  async getSchema(): Promise<CatalogSchema> {
    return this.#transport.call("GET", "/v1/catalog/schema");
  }
  /** Declares the attributes of products, in place of those before. */
  async putSchema(schema: z.input<typeof catalogSchemaInput>): Promise<CatalogSchema> {
    return this.#transport.call("PUT", "/v1/catalog/schema", {}, toJsonBody(schema));
  }
  /** Returns products that users chose after a product, and nearby products of its category, best first. */
  async similar(productId: string, options: ListOptions = {}): Promise<RecommendationList> {
    return this.#transport.call("GET", `${productPath(productId)}/similar`, { ...options });
  }
}
