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
import type { CellContent } from "../workers/shared/contracts/rebuild.ts";
import type { ProductTotals, Transition } from "../workers/shared/contracts/totals.ts";
import { centreOf, isLeaf, parentOf } from "../workers/shared/geo/cells.ts";
import { locationHint } from "../workers/shared/geo/coarsen.ts";
import { offsetsOf } from "../workers/shared/geo/timezone.ts";
import { leafPace, type Pace, parentPace, publishAt } from "./cell/pace.ts";
import { type CellState, CellStore } from "./cell/store.ts";

/** A failed publication is tried again after so many milliseconds. */
const retryMs = 5000;

const untouched = { version: 0, changed: false, counted: 0, shown: 0, publishedAt: 0 };

const paceOf = (cell: string): Pace => (isLeaf(cell) ? leafPace : parentPace);

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
  #state: CellState | null = null;
  /** Whether the tables are there, as far as this instance knows. */
  #migrated = false;

  constructor(ctx: DurableObjectState, env: LocationEnv) {
    super(ctx, env);
    this.#store = new CellStore(ctx.storage.sql);
  }

  /** The state in memory, which is that of the table but within a transaction. */
  #known(): CellState | null {
    if (!this.#state && this.#store.exists()) this.#state = this.#store.state();
    return this.#state;
  }

  /** One transaction over the tables and the state: where it fails, both are as before. */
  #change<T>(application: string, cell: string, change: (state: CellState) => T): T {
    try {
      return this.ctx.storage.transactionSync(() => {
        if (!this.#migrated) this.#store.migrate();
        this.#migrated = true;
        const known = this.#known();
        const state = known ? { ...known } : { application, cell, ...untouched };
        const result = change(state);
        this.#store.setState(state);
        this.#state = state;
        return result;
      });
    } catch (error) {
      this.#state = null;
      this.#migrated = false;
      throw error;
    }
  }

  async #schedule(): Promise<void> {
    const state = this.#known();
    const at = state ? publishAt(state, Date.now(), paceOf(state.cell)) : null;
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
    const applied = this.#change(application, cell, (state) => {
      let changes = 0;
      for (const change of arriving)
        if (change.version > this.#store.leftAt(change.productId) && this.#store.putProduct(change))
          changes++;
      for (const { productId, version, to } of leaving)
        if (this.#store.dropProduct(productId, version, to)) changes++;
      if (changes > 0) state.changed = true;
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
    const applied = this.#change(application, cell, (state) => {
      const counted = this.#store.putTotals(totals);
      this.#store.addSteps(
        transitions.flatMap(({ key, from, to, toCell, gap }) =>
          toCell === null ? [] : [{ key, from, to, toCell, weight: gapWeights[gap] ?? 0 }],
        ),
        Date.now() / 1000,
      );
      state.counted += counted;
      return counted;
    });
    await this.#schedule();
    return applied;
  }

  /** Holds exactly this from now on: what the records of truth say of a leaf. */
  async rebuild(application: string, cell: string, content: CellContent["products"]): Promise<void> {
    this.#change(application, cell, (state) => {
      this.#store.replace(content);
      // A cell that lost its state begins to count anew, below what its parent knows.
      state.version = Math.max(state.version, Math.floor(Date.now() / 1000));
      state.changed = true;
    });
    await this.#schedule();
  }

  /** Cells that ever handed something up to this one. */
  childCells(): string[] {
    return this.#store.exists() ? this.#store.childCells() : [];
  }

  /** Takes what a child hands up. */
  async report(application: string, cell: string, report: ChildReport): Promise<void> {
    this.#change(application, cell, (state) => {
      if (this.#store.putChild(report)) state.changed = true;
    });
    await this.#schedule();
  }

  /** The tile as it is now; null for a cell that holds nothing. Reading an unknown cell writes nothing. */
  tile(): ArrayBuffer | null {
    const state = this.#known();
    return state ? this.#build(state, Date.now() / 1000) : null;
  }

  /** Where a product that was here is now; null where it is gone or never was here. */
  forward(productId: string): string | null {
    return this.#store.exists() ? this.#store.forward(productId) : null;
  }

  #build({ cell, version }: CellState, time: number): ArrayBuffer {
    const children = this.#store.children();
    if (children.length > 0) return buildParent(cell, version, time, children);
    const centre = centreOf(cell);
    const timezone = centre ? tzlookup(centre.lat, centre.lon) : "UTC";
    return buildLeaf(cell, version, time, this.#store.products(), offsetsOf(timezone));
  }

  async #publish({ application, cell }: CellState): Promise<void> {
    // The marks are taken before the build: what changes meanwhile is dirty again.
    const before = this.#change(application, cell, (state) => {
      const taken = { ...state, version: state.version + 1 };
      Object.assign(state, {
        version: taken.version,
        changed: false,
        counted: 0,
        shown: state.shown + state.counted,
        publishedAt: Date.now(),
      });
      this.#store.prune(Date.now() / 1000);
      return taken;
    });
    try {
      const tile = this.#build(before, Date.now() / 1000);
      await this.env.TILES.put(tileKey(application, cell), tile);
      const columns = decodeColumns(tile);
      const parent = parentOf(cell);
      if (columns && parent) await this.#handUp(before, parent, reportOf(columns));
    } catch (error) {
      this.#change(application, cell, (state) => {
        state.changed = true;
      });
      throw error;
    }
  }

  async #handUp(
    { application, cell, version }: CellState,
    parent: string,
    report: ChildReport | null,
  ): Promise<void> {
    const empty = { cell, count: 0, version, lat: 0, lon: 0, radiusKm: 0 };
    await cellOf(this.env.CELL, application, parent).report(
      application,
      parent,
      report ?? { block: empty, best: buildLeaf(cell, version, 0, [], () => 0) },
    );
  }

  /** Publishes. Never throws: a failed alarm would be given up by the platform after a few tries. */
  override async alarm(): Promise<void> {
    const state = this.#known();
    if (!state) return;
    try {
      const at = publishAt(state, Date.now(), { ...paceOf(state.cell), gather: 0 });
      if (at !== null && at <= Date.now()) await this.#publish(state);
      await this.#schedule();
    } catch (error) {
      console.error({ event: "tile not published", cell: state.cell, error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + retryMs);
    }
  }
}
