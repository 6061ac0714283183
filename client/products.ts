import type { z } from "zod";
import type {
  BulkReport,
  Product,
  ProductPatch,
  ProductWithTotals,
  productInput,
} from "../shared/contracts/product.ts";
import type { Page, RecommendationList } from "../shared/contracts/services.ts";
import { jsonOf, linesOf, type Transport } from "./transport.ts";

type ProductToWrite = z.input<typeof productInput>;
const pathOf = (productId: string): string => `/v1/products/${encodeURIComponent(productId)}`;

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
    return this.#transport.call("PUT", pathOf(id), {}, jsonOf(product));
  }
  /** Up to 10,000 at a time. */
  putMany(products: readonly ProductToWrite[]): Promise<BulkReport> {
    return this.#transport.call("POST", "/v1/products/bulk", {}, linesOf(products));
  }
  get(productId: string): Promise<ProductWithTotals> {
    return this.#transport.call("GET", pathOf(productId));
  }
  patch(productId: string, changes: ProductPatch): Promise<Product> {
    return this.#transport.call("PATCH", pathOf(productId), {}, jsonOf(changes));
  }
  async remove(productId: string): Promise<void> {
    await this.#transport.send("DELETE", pathOf(productId));
  }
  /** The n-th image, from 0: JPEG, PNG, WebP or AVIF. Answers where it is served. */
  putImage(
    productId: string,
    n: number,
    image: Blob,
  ): Promise<{ path: string; sha256: string; contentType: string }> {
    const body = { type: image.type || "application/octet-stream", content: image };
    return this.#transport.call("PUT", `${pathOf(productId)}/images/${n}`, {}, body);
  }
  similar(productId: string, limit?: number): Promise<RecommendationList> {
    return this.#transport.call("GET", `${pathOf(productId)}/similar`, { limit });
  }
}
