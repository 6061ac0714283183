import { describe, expect, it } from "vitest";
import { decodeColumns, encodeColumns } from "../../model/columns/columns.ts";
import { recommendationAnswer } from "../shared/contracts/recommendation.ts";
import { ok } from "../shared/contracts/result.ts";
import { ask, block, down, environment, services } from "./testing/services.ts";

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
