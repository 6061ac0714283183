import { DurableObject } from "cloudflare:workers";
import { decodeColumns } from "../../model/columns/columns.ts";
import {
  buildLeafTile,
  buildParentTile,
  type ChildSummary,
  summarizeTile,
} from "../../model/tiles/build-tiles.ts";
import { gapWeights } from "../../model/tiles/cell-product.ts";
import { mergeContent } from "../../model/tiles/content-summary.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import type { ProductRange } from "../../shared/contracts/rebuild.ts";
import type { ProductTotals, Transition } from "../../shared/contracts/totals.ts";
import { minUsersShownOf } from "../../shared/counting/min-users-shown.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { childCells, maxCellProducts, parentCell } from "../../shared/geo/cells.ts";
import { cellUtcOffset } from "../../shared/geo/local-time.ts";
import { isFirstRangeOfCell, isInProductRange } from "../../shared/geo/product-range.ts";
import { KeepAwake, keepAwakeSettingsOf } from "../keep-awake.ts";
import { CellSplitter } from "./cell-splitter.ts";
import {
  alarmAt,
  type CellState,
  canDeferCompaction,
  hasMigrated,
  isPublishable,
  showsOwnProducts,
} from "./cell-state.ts";
import type { RebuiltProduct } from "./cell-store.ts";
import { cellStub, tileKey } from "./cell-stub.ts";
import { CellTables } from "./cell-tables.ts";
import type { MigrationPart } from "./shard-migration.ts";

/** Delay before a failed alarm runs again, in milliseconds. */
const retryDelayMs = 5000;

/** Maximum number of split steps that one alarm runs, so that other calls run between two alarms. */
const maxSplitStepsPerAlarm = 8;

/** Why a child cell has published its tile. */
interface ChildReport {
  /** Whether products changed, not only their counts. */
  contentChanged: boolean;
  /** Interactions that the tile counts for the first time. */
  interactions: number;
}

/**
 * One cell of one application: its products, their activity, and the summaries of its child cells. The tables are the
 * source of truth; the tile in KV is derived from them.
 */
export class Cell extends DurableObject<CellEnv> {
  readonly #tables: CellTables;
  readonly #splitter: CellSplitter;
  readonly #keepAwake: KeepAwake;

  constructor(ctx: DurableObjectState, env: CellEnv) {
    super(ctx, env);
    this.#keepAwake = new KeepAwake(ctx, keepAwakeSettingsOf(env));
    this.#tables = new CellTables(ctx.storage, minUsersShownOf(env));
    this.#splitter = new CellSplitter(ctx, this.#tables, (application, child) =>
      cellStub(env.CELL, application, child),
    );
  }

  async #scheduleAlarm(): Promise<void> {
    const state = this.#tables.state();
    const at = state && alarmAt(state, Date.now());
    if (at === null) return;
    const scheduled = await this.ctx.storage.getAlarm();
    if (scheduled === null || scheduled > at) await this.ctx.storage.setAlarm(at);
  }

  /**
   * Applies changes of products that are in this cell (`arriving`) or left it (`leaving`). Idempotent by version.
   * Returns how many changes were new; null if the cell's products are migrated, so that the caller must call the
   * cell's children instead.
   */
  async applyChanges(
    application: string,
    cell: string,
    arriving: ProductChange[],
    leaving: { productId: string; version: number; to: string | null }[],
  ): Promise<number | null> {
    this.#keepAwake.called();
    if (hasMigrated(this.#tables.state())) return null;
    const { store, activity, migration } = this.#tables;
    const applied = this.#tables.transaction(application, cell, (state) => {
      let changes = 0;
      const moved = arriving.filter(({ previousCell }) => previousCell !== null);
      const movedHere = store.missingAmong(moved.map(({ productId }) => productId));
      for (const change of arriving)
        if (change.version >= store.departureVersion(change.productId) && store.putProduct(change)) changes++;
      for (const { productId, version, to } of leaving)
        if (store.deleteProduct(productId, version, to)) changes++;
      const gone = store.missingAmong(leaving.map(({ productId }) => productId));
      activity.deleteHours(gone, Date.now() / 1000);
      activity.markHoursIncomplete(movedHere, Date.now() / 1000);
      if (changes > 0) state.contentChanged = true;
      if (state.phase === "splitting")
        migration.recordChanges(
          [...arriving, ...leaving].map(({ productId }) => productId),
          [],
        );
      return changes;
    });
    await this.#scheduleAlarm();
    return applied;
  }

  /**
   * Applies absolute totals and transitions. Idempotent by count and by event key. Stores the totals of a product that
   * has not arrived yet. Returns how many interactions were new, and the products whose complete hours the caller must
   * send, each with its new cell if it left. Returns null if the cell's products are migrated.
   */
  async applyTotals(
    application: string,
    cell: string,
    totals: ProductTotals[],
    transitions: Transition[],
  ): Promise<{ counted: number; unknown: { productId: string; movedTo: string | null }[] } | null> {
    this.#keepAwake.called();
    if (hasMigrated(this.#tables.state())) return null;
    const { store, activity, migration } = this.#tables;
    const result = this.#tables.transaction(application, cell, (state) => {
      const departed = store.departedAmong(totals.map(({ productId }) => productId));
      const remaining = totals.filter(({ productId }) => !departed.has(productId));
      const applied = activity.apply(
        remaining,
        transitions.flatMap(({ key, time, from, to, toCell, gap, user }) =>
          toCell === null ? [] : [{ key, time, from, to, toCell, weight: gapWeights[gap] ?? 0, user }],
        ),
        Date.now() / 1000,
        canDeferCompaction(state),
      );
      state.pendingInteractions += applied.counted;
      if (state.phase === "splitting")
        migration.recordChanges(
          [...remaining.map(({ productId }) => productId), ...transitions.map(({ from }) => from)],
          applied.keyChunks,
        );
      return {
        counted: applied.counted,
        unknown: [
          ...applied.unknown.map((productId) => ({ productId, movedTo: null })),
          ...[...departed].flatMap(([productId, movedTo]) =>
            movedTo === null ? [] : [{ productId, movedTo }],
          ),
        ],
      };
    });
    await this.#scheduleAlarm();
    return result;
  }

  /**
   * Replaces all products in a range by `content`, which comes from D1. Deletes all next products if this is the first
   * range that overlaps the cell. Returns false if the cell's products are migrated.
   */
  async replaceRange(
    application: string,
    cell: string,
    range: ProductRange,
    content: RebuiltProduct[],
  ): Promise<boolean> {
    const before = this.#tables.state();
    if (hasMigrated(before)) return false;
    if (!before && content.length === 0) return true;
    const { store, activity } = this.#tables;
    this.#tables.transaction(application, cell, (state) => {
      const now = Date.now() / 1000;
      if (isFirstRangeOfCell(range, cell)) activity.deleteTransitions(now);
      const ids = store.replaceProducts((address, id) => isInProductRange(range, address, id), content);
      activity.replaceHours(
        ids,
        content.flatMap(({ totals }) => totals ?? []),
        now,
      );
      // A cell that lost its state starts with version 0, below the version that its parent stores.
      state.version = Math.max(state.version, Math.floor(Date.now() / 1000));
      state.contentChanged = true;
      // The children may have received products that are deleted now.
      if (state.phase === "splitting") state.progress = { step: "clear" };
    });
    await this.#scheduleAlarm();
    return true;
  }

  /** Stores a part of a splitting parent's products. Drops repeated parts, and parts after {@link activate}. */
  receiveMigration(application: string, cell: string, part: MigrationPart): void {
    const before = this.#tables.state();
    if (before && (before.phase !== "receiving" || before.migrationSeq >= part.seq)) return;
    this.#tables.transaction(application, cell, (state) => {
      state.phase = "receiving";
      state.migrationSeq = part.seq;
      this.#tables.migration.receive(part);
      this.#tables.activity.invalidate();
    });
  }

  /**
   * Publishes what the parent migrated to this cell, which is a leaf from now on. Idempotent. Returns the summary for
   * the parent; null if the cell has no products.
   */
  async activate(application: string, cell: string): Promise<ChildSummary | null> {
    const activated = this.#tables.transaction(application, cell, (state) => {
      if (state.phase === "receiving") {
        state.phase = "leaf";
        state.contentChanged = true;
      }
      return { ...state };
    });
    try {
      return activated.contentChanged ? await this.#publishTile(activated) : this.#currentSummary(activated);
    } finally {
      // The alarm is needed even if KV refused the tile: the cell may have to split before it can publish.
      await this.#scheduleAlarm();
    }
  }

  /** Returns the child cells that have sent a summary to this cell. */
  summarizedChildren(): string[] {
    const { store } = this.#tables;
    return store.hasTables() ? store.summarizedChildren() : [];
  }

  /**
   * Stores the summary of a child cell. Changes of products are published soon; interactions alone when this cell's own
   * publish policy says so, so that an event in a quiet cell does not publish all cells above it.
   */
  async applyChildSummary(
    application: string,
    cell: string,
    summary: ChildSummary,
    { contentChanged, interactions }: ChildReport = { contentChanged: true, interactions: 0 },
  ): Promise<void> {
    this.#keepAwake.called();
    this.#tables.transaction(application, cell, (state) => {
      if (!this.#tables.store.putChildSummary(summary)) return;
      state.contentChanged ||= contentChanged;
      state.pendingInteractions += interactions;
    });
    await this.#scheduleAlarm();
  }

  /** Returns the current tile; null if nothing was written to the cell. Writes nothing. */
  tile(): ArrayBuffer | null {
    const state = this.#tables.state();
    return state ? this.#buildTile(state, Date.now() / 1000) : null;
  }

  /** Returns the cell to which a product moved; null if it was deleted or never was in this cell. */
  forwardingCell(productId: string): string | null {
    const { store } = this.#tables;
    return store.hasTables() ? store.forwardingCell(productId) : null;
  }

  #buildTile(state: CellState, time: number): ArrayBuffer {
    const { cell, version } = state;
    const { store, activity } = this.#tables;
    return showsOwnProducts(state)
      ? buildLeafTile(cell, version, time, store.products(activity), cellUtcOffset(cell))
      : buildParentTile(cell, version, time, store.childSummaries());
  }

  #currentSummary(state: CellState): ChildSummary | null {
    const columns = decodeColumns(this.#buildTile(state, Date.now() / 1000));
    return columns && summarizeTile(columns);
  }

  /** Builds the tile and writes it to KV. Returns the summary for the parent; null if the cell has no products. */
  async #publishTile({ application, cell }: CellState): Promise<ChildSummary | null> {
    // The flags are reset before the tile is built, so that a change during the build sets them again.
    const before = this.#tables.transaction(application, cell, (state) => {
      state.version++;
      state.publishing = true;
      const published = { ...state };
      state.contentChanged = false;
      state.publishedInteractions += state.pendingInteractions;
      state.pendingInteractions = 0;
      state.publishedAt = Date.now();
      this.#tables.activity.pruneKeys(Date.now() / 1000);
      return published;
    });
    try {
      const tile = this.#buildTile(before, Date.now() / 1000);
      const columns = decodeColumns(tile);
      if (!columns) throw new Error(`The new tile of cell ${cell} cannot be decoded.`);
      // The split starts before the write, because KV may refuse a tile that is too large, and only a split makes it
      // smaller.
      if (before.phase === "leaf" && columns.count > maxCellProducts && childCells(cell).length > 0)
        this.#tables.transaction(application, cell, (state) => {
          this.#tables.activity.compact(Date.now() / 1000);
          state.phase = "splitting";
          state.progress = { step: "clear" };
        });
      await this.env.TILES.put(tileKey(application, cell), tile);
      return summarizeTile(columns);
    } catch (error) {
      this.#markChanged(application, cell);
      throw error;
    }
  }

  /** Makes the next alarm publish again what a publication that failed, or was interrupted, has not published. */
  #markChanged(application: string, cell: string): void {
    this.#tables.transaction(application, cell, (state) => {
      state.contentChanged = true;
      state.publishing = false;
    });
  }

  #markPublished(application: string, cell: string): void {
    this.#tables.transaction(application, cell, (state) => {
      state.publishing = false;
    });
  }

  /** Publishes the tile and sends its summary to the parent cell. */
  async #publish(state: CellState): Promise<void> {
    const { application, cell } = state;
    const summary = await this.#publishTile(state);
    const parent = parentCell(cell);
    if (!parent) return this.#markPublished(application, cell);
    const version = this.#tables.state()?.version ?? 0;
    const emptySummary = (): ChildSummary => ({
      block: { cell, count: 0, version, lat: 0, lon: 0, radiusKm: 0, content: mergeContent([]) },
      bestRows: buildLeafTile(cell, version, 0, [], () => 0),
    });
    try {
      await cellStub(this.env.CELL, application, parent).applyChildSummary(
        application,
        parent,
        summary ?? emptySummary(),
        { contentChanged: state.contentChanged, interactions: state.pendingInteractions },
      );
    } catch (error) {
      this.#markChanged(application, cell);
      throw error;
    }
    this.#markPublished(application, cell);
  }

  /** Continues a split, then publishes. Never throws, because the platform drops an alarm after a few failures. */
  override async alarm(): Promise<void> {
    const cell = this.#tables.state()?.cell;
    try {
      for (let step = 0; step < maxSplitStepsPerAlarm && (await this.#splitter.step()); step++);
      const before = this.#tables.state();
      if (!before || before.phase === "receiving") return;
      // Alarms of an object run one at a time, so a publication that has begun was interrupted with the object.
      if (before.publishing) this.#markChanged(before.application, before.cell);
      const state = this.#tables.state() ?? before;
      if (isPublishable(state, Date.now())) await this.#publish(state);
      await this.#scheduleAlarm();
    } catch (error) {
      console.error({ event: "cell alarm failed", cell, error: errorText(error) });
      await this.ctx.storage.setAlarm(Date.now() + retryDelayMs);
    }
  }
}
