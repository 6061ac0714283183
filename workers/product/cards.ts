import type { ProductCard } from "../shared/contracts/product.ts";
import { productCard } from "../shared/contracts/product.ts";
import { cardOf } from "./rows.ts";
import type { ProductStore, StoredProduct } from "./store.ts";

/** How long a card may be answered from isolate memory, and how many are kept there. */
const memorySeconds = 2;
const memoryCards = 5000;
/** KV reads at most so many keys at once. */
const keysPerRead = 100;
/** A card that nobody asks for leaves KV; one that was written out of turn, too. */
const kvSeconds = 24 * 3600;

const keyOf = (application: string, productId: string): string => `${application}/card/${productId}`;

/** The card of a stored product; null where it is deleted. */
export const cardOfStored = ({ row, images }: StoredProduct): ProductCard | null =>
  row.deleted === 1 ? null : cardOf(row, images[0] ?? null);

interface Remembered {
  card: ProductCard;
  until: number;
}

/** Cards from isolate memory, else KV, else D1. */
export class Cards {
  readonly #kv: KVNamespace;
  readonly #store: ProductStore;
  /** Shared by all requests of the isolate, oldest first. */
  static readonly #memory = new Map<string, Remembered>();

  constructor(kv: KVNamespace, store: ProductStore) {
    this.#kv = kv;
    this.#store = store;
  }

  /** Cards of the known products among the ids. `later` takes work that need not delay the answer. */
  async get(
    application: string,
    productIds: string[],
    now: number,
    later: (work: Promise<unknown>) => void,
  ): Promise<ProductCard[]> {
    const found: ProductCard[] = [];
    const missing: string[] = [];
    for (const productId of new Set(productIds)) {
      const remembered = Cards.#memory.get(keyOf(application, productId));
      if (remembered && remembered.until > now) found.push(remembered.card);
      else missing.push(productId);
    }
    const unread: string[] = [];
    // KV is a copy: without it, the record of truth answers.
    const values = await this.#read(application, missing).catch(() => new Map<string, unknown>());
    for (const productId of missing) {
      const card = productCard.safeParse(values.get(productId));
      if (card.success) {
        found.push(card.data);
        this.#remember(application, card.data, now);
      } else unread.push(productId);
    }
    if (unread.length > 0) {
      const fresh: ProductCard[] = [];
      for (const stored of await this.#store.read(application, unread)) {
        const card = cardOfStored(stored);
        if (card) fresh.push(card);
      }
      for (const card of fresh) this.#remember(application, card, now);
      found.push(...fresh);
      later(Promise.allSettled(fresh.map((card) => this.#put(application, card))));
    }
    return found;
  }

  /** Writes what changed through to KV and forgets it here. */
  async refresh(application: string, changed: StoredProduct[]): Promise<void> {
    await Promise.all(
      changed.map((stored) => {
        const card = cardOfStored(stored);
        Cards.#memory.delete(keyOf(application, stored.row.productId));
        return card
          ? this.#put(application, card)
          : this.#kv.delete(keyOf(application, stored.row.productId));
      }),
    );
  }

  /**
   * The same for those that KV holds. Most products of an import were never shown to anybody, and a write to KV is
   * dear.
   */
  async refreshHeld(application: string, changed: StoredProduct[]): Promise<void> {
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
    for (let i = 0; i < productIds.length; i += keysPerRead) {
      const part = productIds.slice(i, i + keysPerRead);
      const values = await this.#kv.get<unknown>(
        part.map((id) => keyOf(application, id)),
        "json",
      );
      for (const productId of part) {
        const value = values.get(keyOf(application, productId));
        if (value !== null && value !== undefined) held.set(productId, value);
      }
    }
    return held;
  }

  #put(application: string, card: ProductCard): Promise<void> {
    return this.#kv.put(keyOf(application, card.id), JSON.stringify(card), { expirationTtl: kvSeconds });
  }

  #remember(application: string, card: ProductCard, now: number): void {
    const key = keyOf(application, card.id);
    Cards.#memory.delete(key);
    Cards.#memory.set(key, { card, until: now + memorySeconds });
    if (Cards.#memory.size > memoryCards) {
      const oldest = Cards.#memory.keys().next().value;
      if (oldest !== undefined) Cards.#memory.delete(oldest);
    }
  }
}
