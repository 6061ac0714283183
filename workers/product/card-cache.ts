import { type CardRequest, type ProductCard, productCard } from "../../shared/contracts/product.ts";
import { productCardOf } from "./rows.ts";
import type { ProductStore, StoredProduct } from "./store.ts";

/** KV reads at most so many keys at once. */
const maxKeysPerRead = 100;
/** A card that nobody asks for leaves KV; one that was written out of turn, too. */
const cardTtlSeconds = 24 * 3600;

const cardKey = (application: string, productId: string): string => `${application}/card/${productId}`;

/** The card of a stored product; null where it is deleted. */
export const storedCard = ({ row, images }: StoredProduct): ProductCard | null =>
  row.deleted === 1 ? null : productCardOf(row, images[0] ?? null);

/** Cards from KV, else from D1. */
export class CardCache {
  readonly #kv: KVNamespace;
  readonly #store: ProductStore;

  constructor(kv: KVNamespace, store: ProductStore) {
    this.#kv = kv;
    this.#store = store;
  }

  /**
   * Cards of the known products among those wanted. KV may be a minute behind: what it holds of an older version than is
   * wanted is read from the record of truth. `later` takes work that need not delay the answer.
   */
  async get(
    application: string,
    wanted: readonly CardRequest[],
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<ProductCard[]> {
    const versions = new Map(wanted.map(({ productId, version }) => [productId, version]));
    const found: ProductCard[] = [];
    const unread: string[] = [];
    // KV is a copy: without it, the record of truth answers.
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
    waitUntil(Promise.allSettled(fresh.map((card) => this.#put(application, card))));
    return [...found, ...fresh];
  }

  /** Writes what changed through to KV. */
  async refresh(application: string, changed: StoredProduct[]): Promise<void> {
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
   * The same for those that KV holds. Most products of an import were never shown to anybody, and a write to KV is
   * dear.
   */
  async refreshCached(application: string, changed: StoredProduct[]): Promise<void> {
    const held = await this.#read(
      application,
      changed.map(({ row }) => row.productId),
    );
    await this.refresh(
      application,
      changed.filter(({ row }) => held.has(row.productId)),
    );
  }

  /** What KV holds, by product. */
  async #read(application: string, productIds: string[]): Promise<Map<string, unknown>> {
    const held = new Map<string, unknown>();
    for (let i = 0; i < productIds.length; i += maxKeysPerRead) {
      const part = productIds.slice(i, i + maxKeysPerRead);
      const values = await this.#kv.get<unknown>(
        part.map((id) => cardKey(application, id)),
        "json",
      );
      for (const productId of part) {
        const value = values.get(cardKey(application, productId));
        if (value !== null && value !== undefined) held.set(productId, value);
      }
    }
    return held;
  }

  #put(application: string, card: ProductCard): Promise<void> {
    return this.#kv.put(cardKey(application, card.id), JSON.stringify(card), {
      expirationTtl: cardTtlSeconds,
    });
  }
}
