import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hash53 } from "../../model/columns/hash.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { ok, type Result } from "../../shared/contracts/result.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { CardCache } from "./card-cache.ts";
import { applyCatalogMessage } from "./outbox.ts";
import { productColumnChanges } from "./rows.ts";
import { ProductStore } from "./store.ts";
import { environment, makeProduct, migrate } from "./testing/environment.ts";

const store = new ProductStore(environment.DB);
const cards = new CardCache(environment.CARDS, store);

/** A spatial index in memory, by the rules of the contract: newest version first, whatever the order. */
class Places {
  readonly #cells = new Map<string, Map<string, number>>();
  readonly #left = new Map<string, number>();

  async applyProductChanges(
    _application: string,
    changes: ProductChange[],
  ): Promise<Result<{ applied: number }>> {
    for (const { productId, version, deleted, location, previousCell } of changes) {
      const cell = addressOf(location, hash53(productId));
      if (deleted) this.#leave(cell, productId, version);
      else if (version > (this.#left.get(`${cell} ${productId}`) ?? 0)) {
        const here = this.#cells.get(cell) ?? new Map<string, number>();
        this.#cells.set(cell, here.set(productId, Math.max(version, here.get(productId) ?? 0)));
      }
      if (previousCell !== null && previousCell !== cell) this.#leave(previousCell, productId, version);
    }
    return ok({ applied: changes.length });
  }

  #leave(cell: string, productId: string, version: number): void {
    const here = this.#cells.get(cell);
    if ((here?.get(productId) ?? version) < version) here?.delete(productId);
    const key = `${cell} ${productId}`;
    this.#left.set(key, Math.max(version, this.#left.get(key) ?? 0));
  }

  /** Where a product is found, as `cell@version`. */
  find(productId: string): string[] {
    return [...this.#cells].flatMap(([cell, here]) =>
      here.has(productId) ? [`${cell}@${here.get(productId)}`] : [],
    );
  }
}

const spots: (Point | null)[] = [
  { lat: 59.9, lon: 10.7 },
  { lat: -12, lon: -77 },
  { lat: 35, lon: 139 },
  null,
];
const ids = ["a", "b", "c"];

const write = fc.record({
  kind: fc.constant("write" as const),
  id: fc.constantFrom(...ids),
  spot: fc.constantFrom(...spots),
});
const step = fc.oneof(
  write,
  fc.record({
    kind: fc.constant("move" as const),
    id: fc.constantFrom(...ids),
    spot: fc.constantFrom(...spots),
  }),
  fc.record({ kind: fc.constant("price" as const), id: fc.constantFrom(...ids) }),
  fc.record({ kind: fc.constant("remove" as const), id: fc.constantFrom(...ids) }),
  // A delivery that works, dies once the index was told, or is overtaken by a write while the index is told.
  fc.record({ kind: fc.constant("deliver" as const) }),
  fc.record({ kind: fc.constant("die" as const) }),
  fc.record({ kind: fc.constant("overtaken" as const), by: write }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(application: string, places: Places, each: Step): Promise<void> {
  const deliver = (location: Pick<Places, "applyProductChanges">) =>
    applyCatalogMessage({ application, productIds: ids }, store, cards, location);
  const put = ({ id, spot }: { id: string; spot: Point | null }) =>
    store.upsert(application, [makeProduct({ id, location: spot })], 1);
  if (each.kind === "write") await put(each);
  else if (each.kind === "remove") await store.remove(application, each.id, 1);
  else if (each.kind === "price") await store.patch(application, each.id, { price: 5 }, 1);
  else if (each.kind === "move")
    await store.patch(application, each.id, productColumnChanges(each.id, { location: each.spot }), 1);
  else if (each.kind === "deliver") await deliver(places);
  else if (each.kind === "overtaken")
    await deliver({
      applyProductChanges: async (name, changes) => {
        const applied = await places.applyProductChanges(name, changes);
        await put(each.by);
        return applied;
      },
    });
  else
    await deliver({
      applyProductChanges: async (name, changes) => {
        await places.applyProductChanges(name, changes);
        throw new Error("died");
      },
    }).catch(() => null);
}

beforeAll(migrate);

describe("the way of products to the spatial index", () => {
  it("leaves each in its own cell alone, however it moved and deliveries failed", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const application = `way-${runs++}`;
        const places = new Places();
        for (const each of steps) await run(application, places, each);
        await applyCatalogMessage({ application, productIds: ids }, store, cards, places);
        expect(await store.readPending(application, ids)).toEqual([]);
        const rows = new Map(
          (await store.read(application, ids)).map(({ row }) => [row.productId, row] as const),
        );
        for (const id of ids) {
          const row = rows.get(id);
          expect(places.find(id)).toEqual(row && row.deleted === 0 ? [`${row.cell}@${row.version}`] : []);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("tells the index nothing twice that it has confirmed", async () => {
    await store.upsert("once", [makeProduct({ id: "a" })], 1);
    const told: number[] = [];
    const listen = {
      applyProductChanges: async (_: string, changes: ProductChange[]) => {
        told.push(changes.length);
        return ok({ applied: changes.length });
      },
    };
    for (const _ of [1, 2, 3])
      await applyCatalogMessage({ application: "once", productIds: ["a"] }, store, cards, listen);
    expect(told).toEqual([1]);
  });
});

describe("ProductStore", () => {
  it("gives a version to each write, over deletion too", async () => {
    const versionOf = async () => (await store.read("versions", ["a"]))[0]?.row.version;
    await store.upsert("versions", [makeProduct({ id: "a" })], 1);
    await store.patch("versions", "a", { price: 1 }, 2);
    expect(await store.remove("versions", "a", 3)).toBe(true);
    expect(await store.remove("versions", "a", 3)).toBe(false);
    expect(await store.patch("versions", "a", { price: 1 }, 4)).toBe(false);
    expect(await versionOf()).toBe(3);
    await store.upsert("versions", [makeProduct({ id: "a" })], 5);
    expect(await versionOf()).toBe(4);
  });

  it("keeps what concurrent patches set", async () => {
    await store.upsert("patches", [makeProduct({ id: "a" })], 1);
    await Promise.all([
      store.patch("patches", "a", productColumnChanges("a", { price: 7, currency: "NOK" }), 2),
      store.patch("patches", "a", productColumnChanges("a", { available: false }), 2),
      store.patch("patches", "a", productColumnChanges("a", { attributes: { colour: "red" } }), 2),
    ]);
    const [{ row }] = await store.read("patches", ["a"]);
    expect(row).toMatchObject({
      version: 4,
      price: 7,
      currency: "NOK",
      available: 0,
      attributes: { colour: "red" },
      title: "Thing",
    });
  });

  it("gives back every product as it was written", async () => {
    const written = fc.record({
      id: fc.stringMatching(/^[A-Za-z0-9._~-]{1,40}$/),
      // SQLite ends a text at NUL, so that is not among them.
      title: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
        .filter((text) => !text.includes("\0")),
      price: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
      discount: fc.double({ min: 0, max: 1, noNaN: true }),
      available: fc.boolean(),
      attributes: fc.dictionary(
        fc.stringMatching(/^[a-z_]{1,10}$/),
        fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean(), fc.constant(null)),
      ),
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(written, { selector: ({ id }) => id, maxLength: 5 }), async (list) => {
        const application = `back-${runs++}`;
        const inputs = list.map((each) => makeProduct(each));
        await store.upsert(application, inputs, 1);
        const read = await store.read(
          application,
          inputs.map(({ id }) => id),
        );
        const byId = new Map(read.map(({ row }) => [row.productId, row]));
        for (const { id, title, price, discount, available, attributes } of inputs)
          expect(byId.get(id)).toMatchObject({
            title,
            price,
            discount,
            available: available ? 1 : 0,
            attributes,
          });
      }),
      { numRuns: 40 },
    );
  });

  it("claims open rows once, and again when they stay open", async () => {
    await environment.DB.prepare("DELETE FROM outbox").run();
    await store.upsert("claims", [makeProduct({ id: "a" }), makeProduct({ id: "b" })], 100);
    expect(await store.claimOutbox(70, 100, 10)).toHaveLength(2);
    expect(await store.claimOutbox(80, 110, 10)).toHaveLength(0);
    expect(await store.claimOutbox(101, 131, 10)).toHaveLength(2);
    await store.closeOutbox("claims", [
      { productId: "a", version: 1 },
      { productId: "b", version: 0 },
    ]);
    expect((await store.readPending("claims", ["a", "b"])).map(({ row }) => row.productId)).toEqual(["b"]);
    expect(await store.countOpenOutbox()).toBe(1);
  });

  it("sees nothing of another application", async () => {
    await store.upsert("mine", [makeProduct({ id: "a", category: "toys" })], 1);
    expect(await store.read("theirs", ["a"])).toEqual([]);
    expect(await store.list("theirs", 10, null, "toys")).toEqual([]);
    expect(await store.patch("theirs", "a", { price: 1 }, 1)).toBe(false);
    expect(await store.remove("theirs", "a", 1)).toBe(false);
    await store.closeOutbox("theirs", [{ productId: "a", version: 9 }]);
    expect(await store.readPending("mine", ["a"])).toHaveLength(1);
  });
});
