/// <reference types="@cloudflare/vitest-plugin/types" />

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { type Columns, unpackColumns } from "../../../model/columns/columns.ts";
import { defaultFirstStage } from "../../../model/retrieval/first-stage.ts";
import { addressOfProduct } from "../../../model/tiles/cell-product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { CandidateRequest } from "../../../shared/contracts/retrieval.ts";
import { leafCell, worldCell } from "../../../shared/geo/cells.ts";
import { LocationService } from "../service.ts";
import { TestIndex } from "../testing/test-index.ts";
import { TileCache } from "./tile-cache.ts";

const oslo = { lat: 59.91, lon: 10.75 };
const lima = { lat: -12.05, lon: -77.04 };

const idsOf = (buffer: ArrayBuffer | null): string[] => {
  const block: Columns | null = buffer && unpackColumns(buffer);
  return block ? Array.from({ length: block.count }, (_, row) => block.id(row)) : [];
};

/** Returns an index in which the next products of `o0` are `l0`, far away, and `o1`. */
async function createIndex(application: string): Promise<TestIndex> {
  const index = new TestIndex(application);
  const places = [oslo, lima].flatMap((center, k) =>
    Array.from({ length: 30 }, (_, i) => ({
      id: `${k ? "l" : "o"}${i}`,
      location: { lat: center.lat + i / 5000, lon: center.lon },
    })),
  );
  await index.put(places);
  await index.addViews(["o0", "l0"], 3, 1);
  await index.addViews(["o0", "o1"], 3, 2);
  await index.runAlarmsUntilIdle(worldCell);
  return index;
}

const service = (change: object = {}) =>
  new LocationService(createExecutionContext(), { ...env, ...change } as never);

function queryFor({ products }: TestIndex, chosen: string[]): CandidateRequest {
  const wanted = chosen.map((id) => {
    const product = products.get(id);
    if (!product) throw new Error(`the index has no product ${id}`);
    return { productId: id, cell: addressOfProduct(product) };
  });
  return {
    near: {
      point: oslo,
      usual: [],
      categories: [],
      hour: 12,
      limit: 20,
      filter: {},
      now: 1_700_000_000,
      weights: defaultFirstStage,
    },
    chosen: wanted,
    last: [{ productId: chosen[0], nextProducts: [] }],
    profileTimeoutMs: null,
  };
}

describe("LocationService.gatherManyCandidates", () => {
  it("answers each query as gatherCandidates does, up to 25, and leaves the others for the next call", async () => {
    const index = await createIndex("many");
    const queries = Array.from({ length: 30 }, (_, i) => queryFor(index, [i % 2 ? "o0" : "l5"]));
    const answers = unwrap(await service().gatherManyCandidates("many", queries), "the location service");
    expect(answers.map((each) => each === null)).toEqual(queries.map((_, i) => i >= 25));
    for (const i of [0, 1]) {
      const one = unwrap(await service().gatherCandidates("many", queries[i]), "the location service");
      expect(idsOf(answers[i]?.near ?? null)).toEqual(idsOf(one.near));
      expect(idsOf(answers[i]?.chosen ?? null)).toEqual(idsOf(one.chosen));
    }
  });

  it("begins no query after the reads of one call, but always the first", async () => {
    const index = await createIndex("reading");
    const queries = [queryFor(index, ["o0"]), queryFor(index, ["o0"])];
    const reads = vi.spyOn(TileCache.prototype, "reads", "get").mockReturnValue(451);
    const answers = unwrap(await service().gatherManyCandidates("reading", queries), "the location service");
    reads.mockRestore();
    expect(answers.map((each) => each === null)).toEqual([false, true]);
  });
});

describe("LocationService.gatherCandidates", () => {
  it("returns nearby products, chosen products, and next products that are in neither, in one call", async () => {
    const index = await createIndex("around");
    const answer = unwrap(
      await service().gatherCandidates("around", queryFor(index, ["o0", "l5"])),
      "the location service",
    );
    const { near, chosen, next, skipped } = answer;
    expect(idsOf(near)).toHaveLength(20);
    expect(idsOf(near).every((id) => id.startsWith("o"))).toBe(true);
    expect(idsOf(chosen)).toEqual(["o0", "l5"]);
    expect(idsOf(next)).toEqual(idsOf(near).includes("o1") ? ["l0"] : ["l0", "o1"]);
    expect(skipped).toEqual([]);
  });

  it("reports why the city is missing if the gazetteer fails or takes too long", async () => {
    const index = await createIndex("nameless");
    const query = queryFor(index, ["o0"]);
    const placeOf = async (DB: object, profileTimeoutMs: number | null) => {
      const answer = await service({ DB }).gatherCandidates("nameless", { ...query, profileTimeoutMs });
      expect(answer.ok && idsOf(answer.value.near)).toHaveLength(20);
      return answer.ok && answer.value.place;
    };
    const down = {
      prepare: () => {
        throw new Error("down");
      },
    };
    const never = { all: () => new Promise(() => undefined), raw: () => new Promise(() => undefined) };
    const stuck = { prepare: () => ({ bind: () => never }) };
    expect(await placeOf(down, null)).toEqual({ skipped: "the gazetteer: failed" });
    expect(await placeOf(stuck, 5)).toEqual({ skipped: "budget: the name of the city" });
  });

  it("finds no product in what is no cell, and asks no object", async () => {
    const index = await createIndex("strict");
    const query = queryFor(index, ["o0"]);
    const nextProducts = [{ productId: "l0", cell: leafCell(query.chosen[0].cell).slice(1) }];
    const answer = unwrap(
      await service().gatherCandidates("strict", {
        ...query,
        chosen: [{ productId: "l5", cell: "nowhere" }],
        last: [{ productId: "o0", nextProducts }],
      }),
      "the location service",
    );
    expect(idsOf(answer.near)).toHaveLength(20);
    expect([idsOf(answer.chosen), idsOf(answer.next), answer.skipped]).toEqual([[], [], []]);
  });
});
