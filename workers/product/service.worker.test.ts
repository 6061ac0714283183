/// <reference types="@cloudflare/vitest-plugin/types" />

import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { encodeCursor } from "../../shared/contracts/cursor.ts";
import { maxDeliveries } from "../../shared/contracts/dead-letter.ts";
import {
  cardsOfAnyVersion,
  type ProductPatch,
  product,
  productCard,
} from "../../shared/contracts/product.ts";
import { type Result, unwrap } from "../../shared/contracts/result.ts";
import { refusalCodeOf } from "../../shared/testing/refusal-code.ts";
import worker from "./index.ts";
import { ProductService } from "./service.ts";
import { ProductStore } from "./store.ts";
import { environment, migrate, sampleProduct } from "./testing/environment.ts";

const service = new ProductService(createExecutionContext(), environment);
const store = new ProductStore(environment.DB);
const oslo = { lat: 59.9, lon: 10.7 };

beforeAll(migrate);

/** Delivers messages to the worker's queue handler. Returns the ids of the acknowledged and of the retried messages. */
async function deliver(queue: string, ...bodies: unknown[]) {
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch(queue, messages);
  await worker.queue(batch, environment);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
  return { acknowledged: explicitAcks, retried: retryMessages.map(({ msgId }) => msgId) };
}

describe("ProductService", () => {
  it("creates, replaces, patches and removes a product of one application only", async () => {
    const created = unwrap(
      await service.put("shop", sampleProduct({ id: "a", price: 5, location: oslo })),
      "the product service",
    );
    expect(created).toMatchObject({ created: true, product: { id: "a", price: 5, location: oslo } });
    expect(product.parse(created.product)).toEqual(created.product);
    expect(
      unwrap(await service.put("shop", sampleProduct({ id: "a", price: 6 })), "the product service").created,
    ).toBe(false);
    expect(unwrap(await service.patch("shop", "a", { price: 7 }), "the product service")).toMatchObject({
      price: 7,
      title: "Thing",
    });
    expect(refusalCodeOf(await service.get("other", "a"))).toBe("not_found");
    expect(refusalCodeOf(await service.patch("other", "a", { price: 8 }))).toBe("not_found");
    expect(refusalCodeOf(await service.remove("other", "a"))).toBe("not_found");
    expect(await service.remove("shop", "a")).toEqual({ ok: true, value: null });
    expect(refusalCodeOf(await service.remove("shop", "a"))).toBe("not_found");
    expect(refusalCodeOf(await service.get("shop", "a"))).toBe("not_found");
    expect(unwrap(await service.put("shop", sampleProduct({ id: "a" })), "the product service").created).toBe(
      true,
    );
  });

  it("writes many products in one call, keeps the last of equal ids, and lists products by page", async () => {
    const many = Array.from({ length: 12 }, (_, i) =>
      sampleProduct({ id: `p${String(i).padStart(2, "0")}`, category: i % 2 ? "odd" : "even" }),
    );
    const twice = sampleProduct({ id: "p00", title: "The last one", category: "even" });
    expect(unwrap(await service.putMany("bulk", [...many, twice]), "the product service").written).toBe(12);
    expect(unwrap(await service.get("bulk", "p00"), "the product service").title).toBe("The last one");
    const pages: string[][] = [];
    for (let cursor: string | undefined; ; ) {
      const page = unwrap(
        await service.list("bulk", { limit: 4, category: "even", ...(cursor ? { cursor } : {}) }),
        "the product service",
      );
      pages.push(page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      if (!cursor) break;
    }
    expect(pages).toEqual([
      ["p00", "p02", "p04", "p06"],
      ["p08", "p10"],
    ]);
  });

  it("lists the products of a category with those of the categories inside it, page by page", async () => {
    const categories = [
      "Drinks",
      "Drinks > Tea",
      "Drinks > Coffee",
      "Drinks > Coffee > Beans",
      "Drinks & more",
      "Drinksy",
      "Food",
    ];
    const products = categories.flatMap((category, i) =>
      [0, 1].map((n) => sampleProduct({ id: `${n}-${i}`, category })),
    );
    unwrap(await service.putMany("paths", products), "the product service");
    for (const limit of [1, 2, 3, 100]) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = unwrap(
          await service.list("paths", { limit, category: "Drinks", ...(cursor ? { cursor } : {}) }),
          "the product service",
        );
        found.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor);
      expect(found).toEqual(["0-0", "1-0", "0-2", "1-2", "0-3", "1-3", "0-1", "1-1"]);
    }
  });

  it("goes on from a cursor of the release before, which holds an id", async () => {
    const products = ["a", "b", "c"].map((id) => sampleProduct({ id, category: "toys" }));
    unwrap(await service.putMany("cursors", products), "the product service");
    for (const category of [undefined, "toys"]) {
      const query = { limit: 5, cursor: encodeCursor("a"), ...(category ? { category } : {}) };
      const { items } = unwrap(await service.list("cursors", query), "the product service");
      expect(items.map(({ id }) => id)).toEqual(["b", "c"]);
    }
  });

  it("returns the newest card after each single write", async () => {
    unwrap(
      await service.put("cards", sampleProduct({ id: "a", price: 5, location: oslo })),
      "the product service",
    );
    const cardOf = async () =>
      unwrap(await service.getCards("cards", cardsOfAnyVersion(["a", "unknown"])), "the product service");
    const [card] = await cardOf();
    expect(productCard.parse(card)).toMatchObject({ id: "a", price: 5, version: 1 });
    unwrap(await service.patch("cards", "a", { price: 6, available: false }), "the product service");
    expect(await cardOf()).toMatchObject([{ price: 6, available: false, version: 2 }]);
    unwrap(await service.remove("cards", "a"), "the product service");
    expect(await cardOf()).toEqual([]);
  });

  it("reads cards from D1 if KV has none or invalid ones", async () => {
    unwrap(
      await service.putMany("kv", [sampleProduct({ id: "a" }), sampleProduct({ id: "b" })]),
      "the product service",
    );
    await environment.CARDS.put("kv/card/b", JSON.stringify({ id: "b", price: "much" }));
    const cards = unwrap(await service.getCards("kv", cardsOfAnyVersion(["a", "b"])), "the product service");
    expect(cards.map(({ id }) => id).sort()).toEqual(["a", "b"]);
  });

  it("does not return an older card than wanted, although KV has one", async () => {
    unwrap(await service.putMany("behind", [sampleProduct({ id: "a", price: 1 })]), "the product service");
    const context = createExecutionContext();
    unwrap(
      await new ProductService(context, environment).getCards("behind", cardsOfAnyVersion(["a"])),
      "the product service",
    );
    await waitOnExecutionContext(context);
    await store.upsert("behind", [sampleProduct({ id: "a", price: 2 })], 1);
    const priceOf = async (version: number) =>
      unwrap(await service.getCards("behind", [{ productId: "a", version }]), "the product service")[0].price;
    expect(await priceOf(1)).toBe(1);
    expect(await priceOf(2)).toBe(2);
  });

  it("sends each write to the spatial index through its queue", async () => {
    unwrap(await service.put("announce", sampleProduct({ id: "a" })), "the product service");
    unwrap(
      await service.putMany("announce", [sampleProduct({ id: "b" }), sampleProduct({ id: "c" })]),
      "the product service",
    );
    await vi.waitFor(async () => expect(await store.readPending("announce", ["a", "b", "c"])).toEqual([]), {
      timeout: 20_000,
      interval: 100,
    });
    expect((await service.ready("announce")).ready).toBe(true);
  });

  it("L3: stores and answers every price exactly, and the group, also in cards", async () => {
    for (const [price, currency, discount, priceAfterDiscount] of [
      [19.95, "EUR", 0.7, 5.99],
      [24_999_001, "VND", 0, 24_999_001],
      [1.234, "KWD", 0, 1.234],
      [19.95, null, 0.5, 9.98],
      [999_999_999.99, "EUR", 0, 999_999_999.99],
      [0.1 + 0.2, "EUR", 0, 0.3],
    ] as const) {
      const input = sampleProduct({ id: "a", price, currency, discount, rating: 4.3, groupId: "shirt-7" });
      const shown = { price: Number(price.toFixed(3)), currency, discount, rating: 4.3, groupId: "shirt-7" };
      const { product: written } = unwrap(await service.put("exact", input), "the product service");
      expect(written).toMatchObject(shown);
      expect(unwrap(await service.get("exact", "a"), "the product service")).toMatchObject(shown);
      expect(
        unwrap(await service.getCards("exact", cardsOfAnyVersion(["a"])), "the product service"),
      ).toMatchObject([{ ...shown, priceAfterDiscount }]);
    }
  });

  it("L3: refuses a price with more digits than its currency has, and names field, value and digits", async () => {
    const good = sampleProduct({ id: "a", price: 5, currency: "EUR" });
    unwrap(await service.put("digits", good), "the product service");
    const issues = async (answer: Promise<Result<unknown>>) => {
      const refused = await answer;
      return refused.ok ? [] : refused.error.issues;
    };
    const tooMany = "must have at most 2 digits after the decimal point, as EUR has; got 19.955";
    const notWhole = "must be a whole number, since JPY has no digits after the decimal point; got";
    expect(await issues(service.put("digits", { ...good, price: 19.955 }))).toEqual([
      { path: "input.price", message: tooMany },
    ]);
    expect(await issues(service.putMany("digits", [good, { ...good, price: 0.5, currency: "JPY" }]))).toEqual(
      [{ path: "products.1.price", message: `${notWhole} 0.5` }],
    );
    expect(await issues(service.patch("digits", "a", { price: 19.5, currency: "JPY" }))).toEqual([
      { path: "patch.price", message: `${notWhole} 19.5` },
    ]);
    expect(await issues(service.patch("digits", "a", { price: 19.955 }))).toEqual([
      { path: "price", message: tooMany },
    ]);
  });

  it("L3: keeps the amount when a patch changes the currency, and refuses one that it does not fit", async () => {
    const shown = async (patch: ProductPatch) => {
      const { price, currency } = unwrap(await service.patch("units", "a", patch), "the product service");
      return [price, currency];
    };
    unwrap(
      await service.put("units", sampleProduct({ id: "a", price: 20, currency: "EUR" })),
      "the product service",
    );
    expect(await shown({ currency: "JPY" })).toEqual([20, "JPY"]);
    expect(await shown({ price: 1500 })).toEqual([1500, "JPY"]);
    expect(await shown({ price: 19.95, currency: "EUR" })).toEqual([19.95, "EUR"]);
    expect(await shown({ currency: null })).toEqual([19.95, null]);
    const refused = await service.patch("units", "a", { currency: "JPY" });
    expect(refused.ok ? [] : refused.error.issues).toMatchObject([
      { path: "currency", message: expect.stringContaining("JPY") },
    ]);
    expect(await shown({ price: null })).toEqual([null, null]);
    expect(await shown({ currency: "JPY" })).toEqual([null, "JPY"]);
    expect(refusalCodeOf(await service.patch("units", "none", { price: 1 }))).toBe("not_found");
  });

  it("L3: stores the same amount in either order of concurrent patches of price and currency", async () => {
    for (let i = 0; i < 10; i++) {
      const input = sampleProduct({ id: "a", price: 5, currency: "EUR" });
      unwrap(await service.put("race", input), "the product service");
      const answers = await Promise.all([
        service.patch("race", "a", { price: 700 }),
        service.patch("race", "a", { currency: "JPY" }),
      ]);
      expect(answers.map(({ ok }) => ok)).toEqual([true, true]);
      expect(unwrap(await service.get("race", "a"), "the product service")).toMatchObject({
        price: 700,
        currency: "JPY",
      });
    }
  });

  it("refuses invalid input with invalid_input in every method", async () => {
    const good = sampleProduct({ id: "a" });
    const answers = await Promise.all([
      service.put("shop", { ...good, price: -1 }),
      service.put("Not a name", good),
      service.get("shop", "no\ttab"),
      service.patch("shop", "a", { discount: 2 }),
      service.remove("shop", ""),
      service.list("shop", { limit: 0 }),
      service.putMany("shop", [good, { ...good, title: "" }]),
      service.getCards("shop", cardsOfAnyVersion(["a\n"])),
      service.imagePath("shop", "a", -1),
      service.deleteImage("shop", "a", 10),
      service.readImage("../secret", false),
    ]);
    expect(answers.map(refusalCodeOf)).toEqual(answers.map(() => "invalid_input"));
    expect(refusalCodeOf(await service.list("shop", { limit: 5, cursor: "nonsense" }))).toBe("not_found");
  });
});

describe("consumeCatalog", () => {
  it("refreshes the cards that KV contains, and no others", async () => {
    const bulk = (price: number) =>
      store.upsert(
        "held",
        [sampleProduct({ id: "shown", price }), sampleProduct({ id: "unseen", price })],
        1,
      );
    const kv = (id: string) => environment.CARDS.get<{ price: number }>(`held/card/${id}`, "json");
    const message = { application: "held", productIds: ["shown", "unseen"] };
    await bulk(1);
    const context = createExecutionContext();
    unwrap(
      await new ProductService(context, environment).getCards("held", cardsOfAnyVersion(["shown"])),
      "the product service",
    );
    await waitOnExecutionContext(context);
    await bulk(2);
    await deliver("vicinity-catalogue", message);
    expect([(await kv("shown"))?.price, await kv("unseen")]).toEqual([2, null]);
    await store.remove("held", "shown", 2);
    await deliver("vicinity-catalogue", message);
    expect(await kv("shown")).toBeNull();
  });

  it("stores an invalid message as a dead-letter message, and processes the other messages", async () => {
    await store.upsert("rest", [sampleProduct({ id: "a" })], 1);
    const { acknowledged, retried } = await deliver(
      "vicinity-catalogue",
      { application: "rest", productIds: "a" },
      { application: "rest", productIds: ["a"] },
    );
    expect({ acknowledged, retried }).toEqual({ acknowledged: ["m0", "m1"], retried: [] });
    expect(await store.readPending("rest", ["a"])).toEqual([]);
    const { items } = unwrap(await service.listDeadLetters("rest", { limit: 10 }), "the product service");
    expect(items).toMatchObject([{ queue: "catalogue", attempts: 1 }]);
    const [{ id, cause }] = items;
    expect(cause).toContain("productIds");
    expect(unwrap(await service.getDeadLetter("rest", id), "the product service").body).toEqual({
      application: "rest",
      productIds: "a",
    });
    expect(refusalCodeOf(await service.getDeadLetter("others", id))).toBe("not_found");
    expect(refusalCodeOf(await service.replayDeadLetter("rest", id))).toBe("conflict");
    expect(refusalCodeOf(await service.discardDeadLetter("others", id))).toBe("not_found");
    unwrap(await service.discardDeadLetter("rest", id), "the product service");
    expect(unwrap(await service.listDeadLetters("rest", { limit: 10 }), "the product service").items).toEqual(
      [],
    );
  });

  it("retries a message while the spatial index is unavailable, and leaves its outbox rows open", async () => {
    await store.upsert("outage", [sampleProduct({ id: "a" })], 1);
    await store.upsert("works", [sampleProduct({ id: "a" })], 1);
    const { acknowledged, retried } = await deliver(
      "vicinity-catalogue",
      { application: "outage", productIds: ["a"] },
      { application: "works", productIds: ["a"] },
    );
    expect({ acknowledged, retried }).toEqual({ acknowledged: ["m1"], retried: ["m0"] });
    expect(await store.readPending("outage", ["a"])).toHaveLength(1);
    expect(await store.readPending("works", ["a"])).toEqual([]);
  });

  it("stores messages from the dead-letter queue, and replays them", async () => {
    await store.upsert("late", [sampleProduct({ id: "a" })], 1);
    const message = { application: "late", productIds: ["a"] };
    const { acknowledged } = await deliver("vicinity-catalogue-dead", message, message);
    expect(acknowledged).toEqual(["m0", "m1"]);
    const { items } = unwrap(await service.listDeadLetters("late", { limit: 10 }), "the product service");
    expect(items).toMatchObject([{ cause: "retries exhausted", attempts: 1 }]);
    expect(unwrap(await service.replayDeadLetter("late", items[0].id), "the product service").status).toBe(
      "delivered",
    );
    expect(await store.readPending("late", ["a"])).toEqual([]);
    expect(refusalCodeOf(await service.replayDeadLetter("late", items[0].id))).toBe("not_found");
  });

  it("stores the cause of the last failure, and keeps a message whose replay fails", async () => {
    await store.upsert("outage", [sampleProduct({ id: "b" })], 1);
    const message = { application: "outage", productIds: ["b"] };
    const batch = createMessageBatch("vicinity-catalogue", [
      { id: "m", timestamp: new Date(), attempts: maxDeliveries, body: message },
    ]);
    await worker.queue(batch, environment);
    await deliver("vicinity-catalogue-dead", message);
    const { items } = unwrap(await service.listDeadLetters("outage", { limit: 10 }), "the product service");
    expect(items).toMatchObject([{ cause: expect.stringContaining("is down"), attempts: maxDeliveries }]);
    expect(refusalCodeOf(await service.replayDeadLetter("outage", items[0].id))).toBe("unavailable");
    expect(unwrap(await service.getDeadLetter("outage", items[0].id), "the product service").attempts).toBe(
      maxDeliveries + 1,
    );
  });

  it("pages through dead-letter messages", async () => {
    for (let i = 0; i < 5; i++) await deliver("vicinity-catalogue", { application: "many", productIds: i });
    const first = unwrap(await service.listDeadLetters("many", { limit: 3 }), "the product service");
    const rest = unwrap(
      await service.listDeadLetters("many", { limit: 3, cursor: first.nextCursor }),
      "the product service",
    );
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect([first.items.length, rest.items.length, rest.nextCursor]).toEqual([3, 2, undefined]);
    expect(new Set(ids).size).toBe(5);
  });
});
