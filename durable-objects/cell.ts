import { DurableObject } from "cloudflare:workers";
import tzlookup from "@photostructure/tz-lookup";
import { decodeColumns } from "../model/columns/columns.ts";
import {
  buildLeaf,
  buildParent,
  type ChildReport,
  gapWeights,
  reportOf,
} from "../model/retrieval/cell-state.ts";
import type { ProductChange } from "../workers/shared/contracts/product.ts";
import type { ProductTotals, Transition } from "../workers/shared/contracts/totals.ts";
import { centreOf, isLeaf, parentOf } from "../workers/shared/geo/cells.ts";
import { locationHint } from "../workers/shared/geo/coarsen.ts";
import { offsetsOf } from "../workers/shared/geo/timezone.ts";
import { type Dirt, leafPace, type Pace, parentPace, publishAt } from "./cell/pace.ts";
import { CellStore } from "./cell/store.ts";

/** A failed publication is tried again after so many milliseconds. */
const retryMs = 5000;

/** Name of a cell's object, and its tile's key in KV. */
export const cellName = (application: string, cell: string): string => `${application}:${cell}`;
export const tileKey = (application: string, cell: string): string => `${application}/tile/${cell}`;

/** The object of a cell, made near the place that it is for. */
export function cellOf(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  cell: string,
): DurableObjectStub<Cell> {
  const centre = centreOf(cell);
  return cells.get(
    cells.idFromName(cellName(application, cell)),
    centre ? { locationHint: locationHint(centre) } : {},
  );
}

/**
 * One cell of one application: its products, what goes on with them, and what its children hand up. The
 * tables are the state; the tile in KV and in here is derived from them.
 */
export class Cell extends DurableObject<LocationEnv> {
  readonly #store: CellStore;

  constructor(ctx: DurableObjectState, env: LocationEnv) {
    super(ctx, env);
    this.#store = new CellStore(ctx.storage.sql);
  }

  #begin(application: string, cell: string): void {
    this.#store.migrate();
    if (this.#store.get("cell") === null) {
      this.#store.set("application", application);
      this.#store.set("cell", cell);
    }
  }

  #dirt(): Dirt {
    const number = (name: string): number => Number(this.#store.get(name) ?? 0);
    return {
      changed: number("changed") > 0,
      counted: number("counted"),
      shown: number("shown"),
      publishedAt: number("publishedAt"),
    };
  }

  #pace(): Pace {
    return isLeaf(this.#store.get("cell") ?? "") ? leafPace : parentPace;
  }

  async #schedule(): Promise<void> {
    const now = Date.now();
    const at = publishAt(this.#dirt(), now, this.#pace());
    if (at === null) return;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }

  /** Takes changes of products that live here, or left. Idempotent by version. */
  async apply(
    application: string,
    cell: string,
    arriving: ProductChange[],
    leaving: { productId: string; version: number; to: string | null }[],
  ): Promise<number> {
    const applied = this.ctx.storage.transactionSync(() => {
      this.#begin(application, cell);
      let changes = 0;
      for (const change of arriving)
        if (change.version > this.#store.leftAt(change.productId) && this.#store.putProduct(change))
          changes++;
      for (const { productId, version, to } of leaving)
        if (this.#store.dropProduct(productId, version, to)) changes++;
      if (changes > 0) this.#store.set("changed", 1);
      return changes;
    });
    await this.#schedule();
    return applied;
  }

  /** Takes absolute totals and steps. Idempotent by version and key; totals of a product that is not here yet are kept for it. */
  async applyTotals(
    application: string,
    cell: string,
    totals: ProductTotals[],
    transitions: Transition[],
  ): Promise<number> {
    const applied = this.ctx.storage.transactionSync(() => {
      this.#begin(application, cell);
      let counted = 0;
      for (const each of totals) counted += this.#store.putTotals(each);
      for (const step of transitions) {
        if (step.toCell === null) continue;
        const weight = gapWeights[step.gap] ?? 0;
        this.#store.addStep({
          key: step.key,
          from: step.from,
          to: step.to,
          toCell: step.toCell,
          weight,
          time: step.time,
        });
      }
      if (counted > 0) this.#store.set("counted", this.#dirt().counted + counted);
      return counted;
    });
    await this.#schedule();
    return applied;
  }

  /** Takes what a child hands up. */
  async report(application: string, cell: string, report: ChildReport): Promise<void> {
    this.ctx.storage.transactionSync(() => {
      this.#begin(application, cell);
      if (this.#store.putChild(report)) this.#store.set("changed", 1);
    });
    await this.#schedule();
  }

  /** The tile as it is now; null for a cell that holds nothing. Reading an unknown cell writes nothing. */
  tile(): ArrayBuffer | null {
    return this.#store.exists() ? this.#build(Date.now() / 1000) : null;
  }

  /** Where a product that was here is now; null where it is gone or never was here. */
  forward(productId: string): string | null {
    return this.#store.exists() ? this.#store.forward(productId) : null;
  }

  #build(time: number): ArrayBuffer {
    const cell = this.#store.get("cell") ?? "";
    const version = Number(this.#store.get("version") ?? 0);
    const children = this.#store.children();
    if (children.length > 0) return buildParent(cell, version, time, children);
    const centre = centreOf(cell);
    const timezone = centre ? tzlookup(centre.lat, centre.lon) : "UTC";
    return buildLeaf(cell, version, time, this.#store.products(), offsetsOf(timezone));
  }

  async #publish(): Promise<void> {
    const application = this.#store.get("application") ?? "";
    const cell = this.#store.get("cell") ?? "";
    const { counted, shown } = this.#dirt();
    // The mark is taken before the build: what changes meanwhile is dirty again.
    this.#store.set("version", Number(this.#store.get("version") ?? 0) + 1);
    this.#store.set("changed", 0);
    try {
      const tile = this.#build(Date.now() / 1000);
      await this.env.TILES.put(tileKey(application, cell), tile);
      const columns = decodeColumns(tile);
      const parent = parentOf(cell);
      if (columns && parent) await this.#handUp(application, cell, parent, reportOf(columns));
    } catch (error) {
      this.#store.set("changed", 1);
      throw error;
    }
    this.#store.set("counted", Math.max(0, this.#dirt().counted - counted));
    this.#store.set("shown", shown + counted);
    this.#store.set("publishedAt", Date.now());
    this.#store.prune(Date.now() / 1000);
  }

  async #handUp(
    application: string,
    cell: string,
    parent: string,
    report: ChildReport | null,
  ): Promise<void> {
    const version = Number(this.#store.get("version") ?? 0);
    const empty = { cell, count: 0, version, lat: 0, lon: 0, radiusKm: 0 };
    await cellOf(this.env.CELL, application, parent).report(
      application,
      parent,
      report ?? { block: empty, best: buildLeaf(cell, version, 0, [], () => 0) },
    );
  }

  /** Publishes. Never throws: a failed alarm would be given up by the platform after a few tries. */
  override async alarm(): Promise<void> {
    try {
      const at = publishAt(this.#dirt(), Date.now(), { ...this.#pace(), gather: 0 });
      if (at !== null && at <= Date.now()) await this.#publish();
      await this.#schedule();
    } catch (error) {
      console.error({ event: "tile not published", cell: this.#store.get("cell"), error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + retryMs);
    }
  }
}
