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
import { childCells, maxCellProducts, parentCell, worldCell } from "../../shared/geo/cells.ts";
import { cellUtcOffset } from "../../shared/geo/local-time.ts";
import { isFirstRangeOfCell, isInProductRange } from "../../shared/geo/product-range.ts";
import { KeepAwake, keepAwakeSettingsOf } from "../keep-awake.ts";
import { type BuiltTile, BuiltTileOf } from "./built-tiles.ts";
import { CellSplitter } from "./cell-splitter.ts";
import {
  alarmAt,
  type CellState,
  canDeferCompaction,
  hasMigrated,
  hasUnpublished,
  isCopyDue,
  isPublishable,
  markForCopy,
  showsOwnProducts,
} from "./cell-state.ts";
import type { RebuiltProduct } from "./cell-store.ts";
import { cellStub, earlierTileKey, parentCopyKey, tileKey } from "./cell-stub.ts";
import { CellTables } from "./cell-tables.ts";
import type { MigrationPart } from "./shard-migration.ts";
import { isReadableFromKv, nextVersion, tileLifeSeconds } from "./tile-version.ts";
import { type CurrentTile, WorldRelay } from "./world-relay.ts";

/** Delay before a failed alarm runs again, in milliseconds. */
const retryDelayMs = 5000;

/** Maximum number of split steps that one alarm runs, so that other calls run between two alarms. */
const maxSplitStepsPerAlarm = 8;

/** Minimum interval between two tiles that a parent builds for readers, in milliseconds. */
const minBuildIntervalMs = 500;
/** Age from which on a leaf builds its tile again for readers, because decayed columns are as of its time. */
const maxBuiltAgeMs = 60_000;

/** A publication whose tile is stored, and whose changes are not yet marked as published. */
interface Publication {
  version: number;
  /** Summary for the parent; null if the cell has no products. */
  summary: ChildSummary | null;
  /** Interactions that the tile counts for the first time. */
  interactions: number;
  contentChanged: boolean;
  /** Changes of products in this instance, up to the ones that the tile shows. */
  changes: number;
  /** The content that the tile shows: the revision of the tables. */
  revision: number;
}

/** Why a child cell has published its tile. */
interface ChildReport {
  /** Whether products changed, not only their counts. */
  contentChanged: boolean;
  /** Interactions that the tile counts for the first time. */
  interactions: number;
}

/**
 * One cell of one application: its products, their activity, and the summaries of its child cells. The tables are the
 * source of truth; tiles are derived from them. A leaf stores each version of its tile in KV, once. A parent knows which
 * versions of its children are current, and answers readers itself.
 */
export class Cell extends DurableObject<CellEnv> {
  readonly #tables: CellTables;
  readonly #splitter: CellSplitter;
  readonly #keepAwake: KeepAwake;
  readonly #built = new BuiltTileOf();
  readonly #worldRelay: WorldRelay;
  /** Changes of products and summaries in this instance. */
  #changes = 0;
  /** A publication that is stored in KV, and of which the parent does not know yet. */
  #unreported: Publication | null = null;

  constructor(ctx: DurableObjectState, env: CellEnv) {
    super(ctx, env);
    this.#keepAwake = new KeepAwake(ctx, keepAwakeSettingsOf(env));
    this.#tables = new CellTables(ctx.storage, minUsersShownOf(env));
    this.#splitter = new CellSplitter(ctx, this.#tables, (application, child) =>
      cellStub(env.CELL, application, child),
    );
    this.#worldRelay = new WorldRelay((application, known) =>
      cellStub(this.env.CELL, application, worldCell).currentTile(known),
    );
  }

  #markChanged(state: CellState): void {
    state.contentChanged = true;
    this.#changes++;
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
      if (changes > 0) this.#markChanged(state);
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
      this.#markChanged(state);
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
        this.#markChanged(state);
      }
      return { ...state };
    });
    try {
      if (!activated.contentChanged) return this.#currentSummary(activated);
      const publication = await this.#storeTile(activated);
      this.#finish(activated, publication);
      return publication.summary;
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
      const now = Date.now();
      if (!showsOwnProducts(state)) state.version = nextVersion(state.version, now);
      if (contentChanged) this.#markChanged(state);
      state.pendingInteractions += interactions;
      markForCopy(state, contentChanged, now);
    });
    await this.#scheduleAlarm();
  }

  /** Returns the current tile; null if nothing was written to the cell. For readers of releases up to 0.2. */
  tile(): ArrayBuffer | null {
    const state = this.#tables.state();
    return state && this.#builtTile(state, true).tile;
  }

  /**
   * Returns the version of the current tile, and the tile unless its version is `known`. Returns null if nothing was
   * written to the cell. What a leaf has not published yet is shown under a version of its own.
   */
  async currentTile(known: number | null): Promise<CurrentTile | null> {
    this.#keepAwake.called();
    const state = this.#tables.state();
    if (!state) return null;
    const now = Date.now();
    if (state.phase === "leaf" && !hasUnpublished(state) && !isReadableFromKv(state.version, now)) {
      this.#tables.transaction(state.application, state.cell, (current) => {
        current.renew = true;
      });
      await this.#scheduleAlarm();
    }
    const { version, tile } = this.#builtTile(this.#tables.state() ?? state);
    return { version, tile: version === known ? null : tile };
  }

  /** Returns the current tile of the world as {@link currentTile} does. Called on relays, which store nothing. */
  currentTileOfWorld(application: string, known: number | null): Promise<CurrentTile | null> {
    this.#keepAwake.called();
    return this.#worldRelay.currentTile(application, known);
  }

  /**
   * Returns the tile for readers: the last built one if it shows the current content. Unless the tile must be current, a
   * parent that was just built is not built again.
   */
  #builtTile(state: CellState, mustBeCurrent = false): BuiltTile {
    const { application, cell } = state;
    const now = Date.now();
    const { revision } = this.#tables;
    const last = this.#built.get(application, cell);
    const ageMs = last ? now - last.builtAt : Number.NaN;
    const isParent = !showsOwnProducts(state);
    const isNewEnough = !mustBeCurrent && ageMs >= 0 && ageMs < minBuildIntervalMs;
    if (last && isParent && (last.version === state.version || isNewEnough)) return last;
    if (last && !isParent && last.revision === revision && ageMs >= 0 && ageMs < maxBuiltAgeMs) return last;
    const version =
      isParent || !hasUnpublished(state)
        ? state.version
        : nextVersion(Math.max(state.version, last?.version ?? 0), now);
    const built = {
      version,
      tile: this.#buildTile({ ...state, version }, now / 1000),
      revision,
      builtAt: now,
    };
    this.#built.set(application, cell, built);
    return built;
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

  /**
   * Builds the tile, and stores that of a leaf in KV under a new version. Nothing is marked as published yet: if the object
   * dies now, its alarm publishes again, under another version.
   */
  async #storeTile(state: CellState): Promise<Publication> {
    const { application, cell, hasEarlierKey, contentChanged, pendingInteractions: interactions } = state;
    const isLeaf = showsOwnProducts(state);
    const changes = this.#changes;
    const now = Date.now();
    const version = isLeaf
      ? nextVersion(Math.max(state.version, this.#built.get(application, cell)?.version ?? 0), now)
      : state.version;
    const tile = isLeaf
      ? this.#buildTile({ ...state, version }, now / 1000)
      : this.#builtTile(state, true).tile;
    const columns = decodeColumns(tile);
    if (!columns) throw new Error(`The new tile of cell ${cell} cannot be decoded.`);
    // The split starts before the write, because KV may refuse a tile that is too large, and only a split makes it
    // smaller.
    if (state.phase === "leaf" && columns.count > maxCellProducts && childCells(cell).length > 0)
      this.#tables.transaction(application, cell, (current) => {
        this.#tables.activity.compact(now / 1000);
        current.phase = "splitting";
        current.progress = { step: "clear" };
      });
    const { revision } = this.#tables;
    if (isLeaf)
      await this.env.TILES.put(tileKey(application, cell, version), tile, { expirationTtl: tileLifeSeconds });
    // Readers of releases up to 0.2 then ask this object, instead of reading a tile that is no longer written.
    if (hasEarlierKey) await this.env.TILES.delete(earlierTileKey(application, cell));
    return { version, summary: summarizeTile(columns), interactions, contentChanged, changes, revision };
  }

  /** Marks as published what a publication shows. */
  #finish({ application, cell }: CellState, { version, interactions, changes }: Publication): void {
    this.#tables.transaction(application, cell, (state) => {
      state.version = Math.max(state.version, version);
      // Later changes are published by the next alarm.
      state.contentChanged = changes !== this.#changes;
      state.renew = false;
      state.hasEarlierKey = false;
      state.publishedInteractions += interactions;
      state.pendingInteractions -= interactions;
      state.publishedAt = Date.now();
      this.#tables.activity.pruneKeys(Date.now() / 1000);
    });
  }

  /** Stores the tile of a leaf, and sends the summary to the parent cell, which then knows the version. */
  async #publish(state: CellState): Promise<void> {
    const { application, cell } = state;
    // While the parent cannot be reached, the same content is not written again.
    const stored = this.#unreported?.revision === this.#tables.revision ? this.#unreported : null;
    const publication = stored ?? (await this.#storeTile(state));
    this.#unreported = publication;
    const { version, summary, contentChanged, interactions } = publication;
    const parent = parentCell(cell);
    const emptySummary = (): ChildSummary => ({
      block: { cell, count: 0, version, lat: 0, lon: 0, radiusKm: 0, content: mergeContent([]) },
      bestRows: buildLeafTile(cell, version, 0, [], () => 0),
    });
    if (parent !== null)
      await cellStub(this.env.CELL, application, parent).applyChildSummary(
        application,
        parent,
        summary ?? emptySummary(),
        { contentChanged, interactions },
      );
    this.#finish(state, publication);
    this.#unreported = null;
  }

  /** Copies the tile of a parent to KV if that is due, for readers who cannot reach this object. */
  async #copyTile(): Promise<void> {
    const state = this.#tables.state();
    if (!state || !isCopyDue(state, Date.now())) return;
    const { application, cell } = state;
    const { version, tile } = this.#builtTile(state, true);
    await this.env.TILES.put(parentCopyKey(application, cell), tile);
    if (state.hasEarlierKey) await this.env.TILES.delete(earlierTileKey(application, cell));
    this.#tables.transaction(application, cell, (current) => {
      current.copiedAt = Date.now();
      current.copyAt = 0;
      if (current.version !== version) markForCopy(current, true, current.copiedAt);
      current.hasEarlierKey = false;
    });
  }

  /** Continues a split, then publishes. Never throws, because the platform drops an alarm after a few failures. */
  override async alarm(): Promise<void> {
    const cell = this.#tables.state()?.cell;
    try {
      for (let step = 0; step < maxSplitStepsPerAlarm && (await this.#splitter.step()); step++);
      const state = this.#tables.state();
      if (!state || state.phase === "receiving") return;
      if (isPublishable(state, Date.now())) await this.#publish(state);
      await this.#copyTile();
      await this.#scheduleAlarm();
    } catch (error) {
      console.error({ event: "cell alarm failed", cell, error: errorText(error) });
      await this.ctx.storage.setAlarm(Date.now() + retryDelayMs);
    }
  }
}
