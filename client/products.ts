import type { z } from "zod";
import type { Page } from "../shared/contracts/page.ts";
import type {
  BulkReport,
  Product,
  ProductPatch,
  ProductWithTotals,
  productInput,
} from "../shared/contracts/product.ts";
import type { RecommendationList } from "../shared/contracts/recommendation.ts";
import { jsonBody, ndjsonBody, type Transport } from "./transport.ts";

type ProductToWrite = z.input<typeof productInput>;
const productPath = (productId: string): string => `/v1/products/${encodeURIComponent(productId)}`;

/** The catalogue. */
export class Products {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(page: { limit?: number; cursor?: string; category?: string } = {}): Promise<Page<Product>> {
    return this.#transport.call("GET", "/v1/products", page);
  }
  put({ id, ...product }: ProductToWrite): Promise<Product> {
    return this.#transport.call("PUT", productPath(id), {}, jsonBody(product));
  }
  /** Up to 10,000 at a time. */
  putMany(products: readonly ProductToWrite[]): Promise<BulkReport> {
    return this.#transport.call("POST", "/v1/products/bulk", {}, ndjsonBody(products));
  }
  get(productId: string): Promise<ProductWithTotals> {
    return this.#transport.call("GET", productPath(productId));
  }
  patch(productId: string, changes: ProductPatch): Promise<Product> {
    return this.#transport.call("PATCH", productPath(productId), {}, jsonBody(changes));
  }
  async remove(productId: string): Promise<void> {
    await this.#transport.send("DELETE", productPath(productId));
  }
  /** The n-th image, from 0: JPEG, PNG, WebP or AVIF. Answers where it is served. */
  putImage(
    productId: string,
    n: number,
    image: Blob,
  ): Promise<{ path: string; sha256: string; contentType: string }> {
    const body = { type: image.type || "application/octet-stream", content: image };
    return this.#transport.call("PUT", `${productPath(productId)}/images/${n}`, {}, body);
  }
  similar(productId: string, limit?: number): Promise<RecommendationList> {
    return this.#transport.call("GET", `${productPath(productId)}/similar`, { limit });
  }
}
