import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hash53 } from "../../model/columns/hash.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { ok, type Result } from "../../shared/contracts/result.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { CardCache } from "./card-cache.ts";
import { applyCatalogMessage } from "./catalog-consumer.ts";
import { productColumnChanges } from "./rows.ts";
import { ProductStore } from "./store.ts";
import { environment, migrate, sampleProduct } from "./testing/environment.ts";

const store = new ProductStore(environment.DB);
const cards = new CardCache(environment.CARDS, store);

/** A spatial index in memory that keeps the newest version of each product, in whatever order changes arrive. */
class InMemoryIndex {
  readonly #cells = new Map<string, Map<string, number>>();
  readonly #removedVersions = new Map<string, number>();

  async applyProductChanges(
    _application: string,
    changes: ProductChange[],
  ): Promise<Result<{ applied: number }>> {
    for (const { productId, version, deleted, location, previousCell } of changes) {
      const cell = addressOf(location, hash53(productId));
      if (deleted) this.#remove(cell, productId, version);
      else if (version > (this.#removedVersions.get(`${cell} ${productId}`) ?? 0)) {
        const here = this.#cells.get(cell) ?? new Map<string, number>();
        this.#cells.set(cell, here.set(productId, Math.max(version, here.get(productId) ?? 0)));
      }
      if (previousCell !== null && previousCell !== cell) this.#remove(previousCell, productId, version);
    }
    return ok({ applied: changes.length });
  }

  #remove(cell: string, productId: string, version: number): void {
    const here = this.#cells.get(cell);
    if ((here?.get(productId) ?? version) < version) here?.delete(productId);
    const key = `${cell} ${productId}`;
    this.#removedVersions.set(key, Math.max(version, this.#removedVersions.get(key) ?? 0));
  }

  /** Returns the cells that contain a product, as `cell@version`. */
  find(productId: string): string[] {
    return [...this.#cells].flatMap(([cell, here]) =>
      here.has(productId) ? [`${cell}@${here.get(productId)}`] : [],
    );
  }
}

const locations: (Point | null)[] = [
  { lat: 59.9, lon: 10.7 },
  { lat: -12, lon: -77 },
  { lat: 35, lon: 139 },
  null,
];
const ids = ["a", "b", "c"];

const anyWrite = fc.record({
  kind: fc.constant("write" as const),
  id: fc.constantFrom(...ids),
  location: fc.constantFrom(...locations),
});
const anyStep = fc.oneof(
  anyWrite,
  fc.record({
    kind: fc.constant("move" as const),
    id: fc.constantFrom(...ids),
    location: fc.constantFrom(...locations),
  }),
  fc.record({ kind: fc.constant("price" as const), id: fc.constantFrom(...ids) }),
  fc.record({ kind: fc.constant("remove" as const), id: fc.constantFrom(...ids) }),
  // A delivery that succeeds, fails after the index has applied the changes, or overlaps with a write.
  fc.record({ kind: fc.constant("deliver" as const) }),
  fc.record({ kind: fc.constant("fail" as const) }),
  fc.record({ kind: fc.constant("overlap" as const), write: anyWrite }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

async function runStep(application: string, index: InMemoryIndex, step: Step): Promise<void> {
  const deliver = (location: Pick<InMemoryIndex, "applyProductChanges">) =>
    applyCatalogMessage({ application, productIds: ids }, store, cards, location);
  const upsert = ({ id, location }: { id: string; location: Point | null }) =>
    store.upsert(application, [sampleProduct({ id, location })], 1);
  if (step.kind === "write") await upsert(step);
  else if (step.kind === "remove") await store.remove(application, step.id, 1);
  else if (step.kind === "price") await store.patch(application, step.id, { priceMinor: 500 }, 1);
  else if (step.kind === "move")
    await store.patch(application, step.id, productColumnChanges(step.id, { location: step.location }), 1);
  else if (step.kind === "deliver") await deliver(index);
  else if (step.kind === "overlap")
    await deliver({
      applyProductChanges: async (name, changes) => {
        const applied = await index.applyProductChanges(name, changes);
        await upsert(step.write);
        return applied;
      },
    });
  else
    await deliver({
      applyProductChanges: async (name, changes) => {
        await index.applyProductChanges(name, changes);
        throw new Error("failed");
      },
    }).catch(() => null);
}

beforeAll(migrate);

describe("applyCatalogMessage", () => {
  it("leaves each product in one cell only, however it moves and deliveries fail", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 3, maxLength: 14 }), async (steps) => {
        const application = `steps-${runs++}`;
        const index = new InMemoryIndex();
        for (const each of steps) await runStep(application, index, each);
        await applyCatalogMessage({ application, productIds: ids }, store, cards, index);
        expect(await store.readPending(application, ids)).toEqual([]);
        const rows = new Map(
          (await store.read(application, ids)).map(({ row }) => [row.productId, row] as const),
        );
        for (const id of ids) {
          const row = rows.get(id);
          expect(index.find(id)).toEqual(row && row.deleted === 0 ? [`${row.cell}@${row.version}`] : []);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("does not send a change again that the index has applied", async () => {
    await store.upsert("once", [sampleProduct({ id: "a" })], 1);
    const changeCounts: number[] = [];
    const countingIndex = {
      applyProductChanges: async (_: string, changes: ProductChange[]) => {
        changeCounts.push(changes.length);
        return ok({ applied: changes.length });
      },
    };
    for (const _ of [1, 2, 3])
      await applyCatalogMessage({ application: "once", productIds: ["a"] }, store, cards, countingIndex);
    expect(changeCounts).toEqual([1]);
  });
});
