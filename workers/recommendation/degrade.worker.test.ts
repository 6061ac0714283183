/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { UserSession } from "../../durable-objects/user-session.ts";
import { decodeColumns, encodeColumns } from "../../model/columns/columns.ts";
import { buildLeaf } from "../../model/retrieval/cell-state.ts";
import { recommendationAnswer, recommendationInput } from "../shared/contracts/recommendation.ts";
import { ok } from "../shared/contracts/result.ts";
import { leafCellOf } from "../shared/geo/cells.ts";
import { recommend } from "./recommend.ts";

const environment: { USER_SESSION: DurableObjectNamespace<UserSession> } = Object.assign(
  { USER_SESSION: {} as never },
  env,
);
const oslo = { lat: 59.91, lon: 10.75 };
const leaf = leafCellOf(oslo, 0);
const nowhere = { city: null, country: null, point: null, timezone: null };
const products = Array.from({ length: 20 }, (_, i) => ({
  change: {
    productId: `p${i}`,
    version: 1,
    deleted: false,
    title: `Product ${i}`,
    category: "books",
    price: 2.5,
    currency: "EUR",
    discount: 0,
    rating: null,
    available: true,
    location: oslo,
    previousCell: null,
    createdAt: 1_700_000_000,
  },
  totals: null,
  followers: [],
}));
const block = buildLeaf(leaf, 1, 1_700_000_000, products, () => 0);
const cards = products.map(({ change: { productId, version, ...rest } }) => {
  const { deleted: _deleted, previousCell: _previous, createdAt: _created, ...card } = rest;
  return { ...card, id: productId, image: "/picture", cell: leaf, version };
});
const down = () => Promise.reject(new Error("down"));

/** The services as they should be, a registry that does not answer, and what a test takes away. */
const services = {
  USER_SESSION: environment.USER_SESSION,
  DB: {
    prepare: () => {
      throw new Error("down");
    },
  },
  MODELS: { get: down },
  LOCATION: {
    resolve: async () =>
      ok({ city: "Oslo", country: "NO", timezone: "Europe/Oslo", cell: leaf, distanceKm: 1 }),
    coarsen: async () => ok({ point: { lat: 59.9, lon: 10.7 }, place: null }),
    edge: async () => ok(null),
    candidates: async () => ok(block),
    columns: async () => ok(block),
  },
  PRODUCT: { cards: async () => ok(cards) },
};

async function ask(change: object, input: object = {}, application = "demo") {
  const pending: Promise<unknown>[] = [];
  const result = await recommend(
    { ...services, ...change } as never,
    application,
    recommendationInput.parse({ userId: "ann", location: oslo, limit: 5, ...input }),
    nowhere,
    (work) => void pending.push(work.catch(() => null)),
  );
  await Promise.all(pending);
  return result;
}
async function answer(change: object, input: object = {}, application?: string) {
  const result = await ask(change, input, application);
  if (!result.ok) throw new Error(result.error.detail);
  const body = recommendationAnswer.parse(result.value);
  const skipped = Object.fromEntries(
    body.stages.flatMap(({ name, skipped: why }) => (why === undefined ? [] : [[name, why]])),
  );
  return { ...body, skipped };
}

describe("a recommendation goes on without", () => {
  it("the registry: the bundled model ranks, and the answer says so", async () => {
    const { items, model, skipped } = await answer({});
    expect(items).toHaveLength(5);
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(skipped).toEqual({ model: "the registry or its model: failed" });
  });

  it("the catalogue: tiles stand in for cards", async () => {
    const { items, skipped } = await answer({ PRODUCT: { cards: down } }, {}, "cold");
    expect(skipped.cards).toContain("tiles stand in");
    expect(items[0].product).toMatchObject({ category: "books", price: 2.5, currency: "EUR", image: null });
    expect(items).toHaveLength(5);
  });

  it("the gazetteer: without the name of the city", async () => {
    const { items, location, skipped } = await answer({ LOCATION: { ...services.LOCATION, resolve: down } });
    expect(skipped.place).toContain("gazetteer");
    expect(location).toMatchObject({ city: null, source: "request" });
    expect(items).toHaveLength(5);
  });

  it("the person: place and popularity remain, of the place only the city", async () => {
    const id = environment.USER_SESSION.idFromName("demo:ann");
    const session = { id, state: down, impression: down };
    const { items, location, skipped } = await answer({
      USER_SESSION: { idFromName: () => id, get: () => session },
    });
    expect(skipped.person).toContain("failed");
    expect(location.precision).toBe("city");
    expect(items).toHaveLength(5);
  });

  it("new tiles, and says what stood in for them", async () => {
    const old = { candidates: async () => ok(buildLeafMarked()) };
    const { skipped } = await answer({ LOCATION: { ...services.LOCATION, ...old } });
    expect(skipped.sources).toBe("near: cells for tiles");
  });

  it("what no longer fits into its budget", async () => {
    const slow = () => new Promise((resolve) => setTimeout(() => resolve(ok(null)), 300));
    const id = environment.USER_SESSION.idFromName("demo:ann");
    const { items, skipped } = await answer(
      {
        USER_SESSION: { idFromName: () => id, get: () => ({ id, state: slow, impression: down }) },
        LOCATION: { ...services.LOCATION, resolve: slow },
      },
      { budgetMs: 5 },
    );
    expect(items).toHaveLength(5);
    expect(skipped.person).toContain("budget");
    expect(skipped.place).toContain("budget");
  });

  it("nothing of all that: it is unavailable for a while, not broken", async () => {
    const result = await ask({ LOCATION: { ...services.LOCATION, candidates: down, columns: down } });
    expect(result).toMatchObject({ ok: false, error: { code: "unavailable", retryAfter: 1 } });
  });
});

function buildLeafMarked(): ArrayBuffer {
  const columns = decodeColumns(block);
  if (!columns) throw new Error("no block");
  return encodeColumns({ ...columns, meta: { ...columns.meta, skipped: "cells for tiles" } });
}
