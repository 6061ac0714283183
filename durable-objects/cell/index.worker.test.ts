/// <reference types="@cloudflare/vitest-plugin/types" />

import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { leafCell, parentCell } from "../../shared/geo/cells.ts";
import { cellStub } from "./cell-stub.ts";

const { CELL } = env as CellEnv;
const { default: worker } = exports;

describe("the worker of the cells, with its own configuration", () => {
  it("answers no public request", async () => {
    expect((await worker.fetch("https://cell.example/")).status).toBe(404);
  });

  it("serves a cell and the cell above it, without another worker", async () => {
    const leaf = leafCell("890989a8c33ffff");
    const parent = parentCell(leaf) ?? "";
    expect(await cellStub(CELL, "demo", leaf).forwardingCell("p1")).toBeNull();
    expect(await cellStub(CELL, "demo", parent).summarizedChildren()).toEqual([]);
  });
});
