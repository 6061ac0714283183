import { type CardRequest, type ProductCard, productCard } from "../../shared/contracts/product.ts";
import { productCardOf } from "./rows.ts";
import type { IndexedProduct, ProductStore } from "./store.ts";

/** Maximum number of keys in one read of KV: the limit of Cloudflare KV. */
const maxKeysPerRead = 100;
/** Cards that one read writes to KV at most, since a request may make 1,000 calls. A later read writes the others. */
const maxPutsPerRead = 500;
/**
 * Seconds after which KV drops a card. It removes cards that are not read, and bounds how long a stale card stays after
 * concurrent writes.
 */
const cardTtlSeconds = 24 * 3600;

/** Returns the KV key of a card, at most 512 bytes: the limit of Cloudflare KV. */
export const cardKey = (application: string, productId: string): string =>
  `${application}/card/${encodeURIComponent(productId)}`;

/** Returns the card of a stored product; null if the product is deleted. */
export const storedCard = ({ row, images, declared }: IndexedProduct): ProductCard | null =>
  row.deleted === 1 ? null : productCardOf(row, images[0] ?? null, declared);

/** Reads product cards from KV, and from D1 if KV has none or an older version. */
export class CardCache {
  readonly #kv: KVNamespace;
  readonly #store: ProductStore;

  constructor(kv: KVNamespace, store: ProductStore) {
    this.#kv = kv;
    this.#store = store;
  }

  /**
   * Returns the cards of those wanted products that exist. KV may be a minute behind, so a card of an older version
   * than wanted is read from D1. `waitUntil` receives the writes to KV, which do not delay the answer.
   */
  async get(
    application: string,
    wanted: readonly CardRequest[],
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<ProductCard[]> {
    const versions = new Map(wanted.map(({ productId, version }) => [productId, version]));
    const found: ProductCard[] = [];
    const unread: string[] = [];
    // KV is only a cache: if it fails, D1 answers.
    const values = await this.#read(application, [...versions.keys()]).catch(
      () => new Map<string, unknown>(),
    );
    for (const [productId, version] of versions) {
      const card = productCard.safeParse(values.get(productId));
      if (card.success && card.data.version >= version) found.push(card.data);
      else unread.push(productId);
    }
    if (unread.length === 0) return found;
    const stored = await this.#store.read(application, unread);
    const fresh = stored.map(storedCard).filter((card) => card !== null);
    waitUntil(Promise.allSettled(fresh.slice(0, maxPutsPerRead).map((card) => this.#put(application, card))));
    return [...found, ...fresh];
  }

  /** Writes the cards of changed products to KV, and deletes those of deleted products. */
  async refresh(application: string, changed: IndexedProduct[]): Promise<void> {
    await Promise.all(
      changed.map((stored) => {
        const card = storedCard(stored);
        return card
          ? this.#put(application, card)
          : this.#kv.delete(cardKey(application, stored.row.productId));
      }),
    );
  }

  /**
   * Refreshes the cards that KV contains, and no others. Most products of an import were never shown to a user, and KV
   * writes are expensive. Returns how many it wrote or deleted.
   */
  async refreshCached(application: string, changed: IndexedProduct[]): Promise<number> {
    const cached = await this.#read(
      application,
      changed.map(({ row }) => row.productId),
    );
    const stale = changed.filter(({ row }) => cached.has(row.productId));
    await this.refresh(application, stale);
    return stale.length;
  }

  /** Returns the unparsed cards that KV contains, by product id. */
  async #read(application: string, productIds: string[]): Promise<Map<string, unknown>> {
    const cached = new Map<string, unknown>();
    for (let i = 0; i < productIds.length; i += maxKeysPerRead) {
      const part = productIds.slice(i, i + maxKeysPerRead);
      const values = await this.#kv.get<unknown>(
        part.map((id) => cardKey(application, id)),
        "json",
      );
      for (const productId of part) {
        const value = values.get(cardKey(application, productId));
        if (value !== null && value !== undefined) cached.set(productId, value);
      }
    }
    return cached;
  }

  #put(application: string, card: ProductCard): Promise<void> {
    return this.#kv.put(cardKey(application, card.id), JSON.stringify(card), {
      expirationTtl: cardTtlSeconds,
    });
  }
}
