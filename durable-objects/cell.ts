import { DurableObject } from "cloudflare:workers";
import { decodeColumns } from "../model/columns/columns.ts";
import { hash53 } from "../model/columns/hash.ts";
import {
  buildLeaf,
  buildParent,
  type ChildReport,
  gapWeights,
  reportOf,
} from "../model/retrieval/cell-state.ts";
import type { ProductChange } from "../shared/contracts/product.ts";
import type { ProductRange } from "../shared/contracts/rebuild.ts";
import type { ProductTotals, Transition } from "../shared/contracts/totals.ts";
import { errorText } from "../shared/errors/error-text.ts";
import { centerOf, childrenOf, childToward, maxLeafProducts, parentOf } from "../shared/geo/cells.ts";
import { locationHint } from "../shared/geo/coarsen.ts";
import { offsetsIn } from "../shared/geo/local-time.ts";
import { beginsIn, isWithin } from "../shared/geo/product-range.ts";
import { Activity } from "./cell/activity.ts";
import { type Batch, type Migrated, partsOf, ShardMigration } from "./cell/migration.ts";
import {
  type CellState,
  dueAt,
  isAbove,
  lasting,
  mayWait,
  publishingAt,
  showsOwn,
  untouched,
} from "./cell/state.ts";
import { CellStore, type Replacement } from "./cell/store.ts";

/** A failed publication is tried again after so many milliseconds. */
const retryMs = 5000;

/** Steps of a split that one alarm takes, so that a cell that splits goes on answering. */
const stepsPerAlarm = 8;

/** Name of a cell's object, and its tile's key in KV. */
export const cellName = (application: string, cell: string): string => `${application}:${cell}`;
export const tileKey = (application: string, cell: string): string => `${application}/tile/${cell}`;

/** The object of a cell, made near the place that it is for. */
export function cellStub(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  cell: string,
): DurableObjectStub<Cell> {
  const center = centerOf(cell);
  return cells.get(
    cells.idFromName(cellName(application, cell)),
    center ? { locationHint: locationHint(center) } : {},
  );
}

/**
 * One cell of one application: its products, what goes on with them, and what its children hand up. The
 * tables are the state; the tile in KV and in here is derived from them.
 */
export class Cell extends DurableObject<LocationEnv> {
  readonly #store: CellStore;
  readonly #activity: Activity;
  readonly #handover: ShardMigration;
  #state: CellState | null = null;
  /** Whether the tables are there, as far as this instance knows. */
  #migrated = false;

  constructor(ctx: DurableObjectState, env: LocationEnv) {
    super(ctx, env);
    this.#store = new CellStore(ctx.storage.sql);
    this.#activity = new Activity(ctx.storage.sql);
    this.#handover = new ShardMigration(ctx.storage.sql);
  }

  #migrate(): void {
    if (this.#migrated) return;
    this.#store.migrate();
    this.#activity.migrate();
    this.#migrated = true;
  }

  /** The state in memory, which is that of the table but within a transaction. */
  #known(): CellState | null {
    if (this.#state || !this.#store.exists()) return this.#state;
    this.#migrate();
    const state = this.#store.state();
    if (state) {
      state.counted += this.#activity.countedAfter(state.told);
      state.told = this.#activity.seq;
    }
    this.#state = state;
    return state;
  }

  /** One transaction over the tables and the state: where it fails, both are as before. */
  #change<T>(application: string, cell: string, change: (state: CellState) => T): T {
    try {
      return this.ctx.storage.transactionSync(() => {
        this.#migrate();
        const known = this.#known();
        const { folds } = this.#activity;
        const state: CellState = known ? { ...known } : { application, cell, ...untouched };
        const result = change(state);
        state.told = this.#activity.seq;
        // A call about what people did writes its row of news, and not this one too.
        const saidByNews = known && mayWait(state) && folds === this.#activity.folds;
        if (!saidByNews || lasting(known) !== lasting(state)) this.#store.setState(state);
        this.#state = state;
        return result;
      });
    } catch (error) {
      this.#state = null;
      this.#migrated = false;
      this.#activity.reread();
      throw error;
    }
  }

  async #schedule(): Promise<void> {
    const state = this.#known();
    const at = state && dueAt(state, Date.now());
    if (at === null) return;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }

  /**
   * Takes changes of products that live here, or left. Idempotent by version. Answers how many were news; null where the cell
   * has split: those below it are to be told.
   */
  async apply(
    application: string,
    cell: string,
    arriving: ProductChange[],
    leaving: { productId: string; version: number; to: string | null }[],
  ): Promise<number | null> {
    if (isAbove(this.#known())) return null;
    const applied = this.#change(application, cell, (state) => {
      let changes = 0;
      const moved = arriving.filter(({ previousCell }) => previousCell !== null);
      const strange = this.#store.lacking(moved.map(({ productId }) => productId));
      for (const change of arriving)
        if (change.version >= this.#store.leftAt(change.productId) && this.#store.putProduct(change))
          changes++;
      for (const { productId, version, to } of leaving)
        if (this.#store.dropProduct(productId, version, to)) changes++;
      const gone = this.#store.lacking(leaving.map(({ productId }) => productId));
      this.#activity.forgetHours(gone, Date.now() / 1000);
      this.#activity.doubtHours(strange, Date.now() / 1000);
      if (changes > 0) state.changed = true;
      if (state.phase === "splitting")
        this.#handover.mark(
          [...arriving, ...leaving].map(({ productId }) => productId),
          [],
        );
      return changes;
    });
    await this.#schedule();
    return applied;
  }

  /**
   * Takes absolute totals and steps. Idempotent by count and key; totals of a product that is not here yet are kept for it.
   * Answers how many interactions were news, and of which products all hours must be told, with where they are if they left;
   * null where the cell has split.
   */
  async applyTotals(
    application: string,
    cell: string,
    totals: ProductTotals[],
    transitions: Transition[],
  ): Promise<{ counted: number; unknown: { productId: string; movedTo: string | null }[] } | null> {
    if (isAbove(this.#known())) return null;
    const { counted, unknown } = this.#change(application, cell, (state) => {
      const left = this.#store.leftAmong(totals.map(({ productId }) => productId));
      const here = totals.filter(({ productId }) => !left.has(productId));
      const taken = this.#activity.take(
        here,
        transitions.flatMap(({ key, time, from, to, toCell, gap }) =>
          toCell === null ? [] : [{ key, time, from, to, toCell, weight: gapWeights[gap] ?? 0 }],
        ),
        Date.now() / 1000,
        mayWait(state),
      );
      state.counted += taken.counted;
      if (state.phase === "splitting")
        this.#handover.mark(
          [...here.map(({ productId }) => productId), ...transitions.map(({ from }) => from)],
          taken.parts,
        );
      return {
        counted: taken.counted,
        unknown: [
          ...taken.unknown.map((productId) => ({ productId, movedTo: null })),
          ...[...left].flatMap(([productId, movedTo]) => (movedTo === null ? [] : [{ productId, movedTo }])),
        ],
      };
    });
    await this.#schedule();
    return { counted, unknown };
  }

  /**
   * Holds, of a range of products, exactly this from now on: what the records of truth say. What followed products is forgotten
   * where the range comes to this cell first. Answers false where the cell has split.
   */
  async rebuild(
    application: string,
    cell: string,
    range: ProductRange,
    content: Replacement[],
  ): Promise<boolean> {
    const known = this.#known();
    if (isAbove(known)) return false;
    if (!known && content.length === 0) return true;
    this.#change(application, cell, (state) => {
      const now = Date.now() / 1000;
      if (beginsIn(range, cell)) this.#activity.forgetSteps(now);
      const ids = this.#store.replace((address, id) => isWithin(range, address, id), content);
      this.#activity.replace(
        ids,
        content.flatMap(({ totals }) => totals ?? []),
        now,
      );
      // A cell that lost its state begins to count anew, below what its parent knows.
      state.version = Math.max(state.version, Math.floor(Date.now() / 1000));
      state.changed = true;
      // What its children were told so far may be of products that are gone.
      if (state.phase === "splitting") state.progress = { step: "clear" };
    });
    await this.#schedule();
    return true;
  }

  /** Takes what a parent that splits hands down. */
  hand(application: string, cell: string, handed: Migrated): void {
    const known = this.#known();
    if (known && (known.phase !== "filling" || known.turn >= handed.turn)) return;
    this.#change(application, cell, (state) => {
      state.phase = "filling";
      state.turn = handed.turn;
      this.#handover.take(handed);
      this.#activity.reread();
    });
  }

  /** Begins to show what its parent handed down. Answers what it hands up; null where that is nothing. May be asked again. */
  async open(application: string, cell: string): Promise<ChildReport | null> {
    const opened = this.#change(application, cell, (state) => {
      if (state.phase === "filling") Object.assign(state, { phase: "leaf", changed: true });
      return { ...state };
    });
    try {
      return opened.changed ? await this.#publishTile(opened) : this.#reportNow(opened);
    } finally {
      // Also where the tile was refused: this cell may have to split before it can be shown.
      await this.#schedule();
    }
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

  #build(state: CellState, time: number): ArrayBuffer {
    const { cell, version } = state;
    return showsOwn(state)
      ? buildLeaf(cell, version, time, this.#store.products(this.#activity), offsetsIn(cell))
      : buildParent(cell, version, time, this.#store.children());
  }

  #reportNow(state: CellState): ChildReport | null {
    const columns = decodeColumns(this.#build(state, Date.now() / 1000));
    return columns && reportOf(columns);
  }

  /** Builds and stores the tile. Answers what it hands up. */
  async #publishTile({ application, cell }: CellState): Promise<ChildReport | null> {
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
      this.#activity.prune(Date.now() / 1000);
      return taken;
    });
    try {
      const tile = this.#build(before, Date.now() / 1000);
      const columns = decodeColumns(tile);
      if (!columns) throw new Error("a tile that was just built does not decode");
      // Before KV is asked: it may refuse a tile for being too large, and only a split makes it smaller.
      if (before.phase === "leaf" && columns.count > maxLeafProducts && childrenOf(cell).length > 0)
        this.#change(application, cell, (state) => {
          this.#activity.settle(Date.now() / 1000);
          Object.assign(state, { phase: "splitting", progress: { step: "clear" } });
        });
      await this.env.TILES.put(tileKey(application, cell), tile);
      return reportOf(columns);
    } catch (error) {
      this.#markChanged(application, cell);
      throw error;
    }
  }

  #markChanged(application: string, cell: string): void {
    this.#change(application, cell, (state) => {
      state.changed = true;
    });
  }

  async #publish(state: CellState): Promise<void> {
    const { application, cell } = state;
    const report = await this.#publishTile(state);
    const parent = parentOf(cell);
    if (!parent) return;
    const empty = { cell, count: 0, version: this.#known()?.version ?? 0, lat: 0, lon: 0, radiusKm: 0 };
    try {
      await cellStub(this.env.CELL, application, parent).report(
        application,
        parent,
        report ?? { block: empty, best: buildLeaf(cell, empty.version, 0, [], () => 0) },
      );
    } catch (error) {
      this.#markChanged(application, cell);
      throw error;
    }
  }

  /** Takes the next step of a split. Answers whether there is another. A step that died is taken once more. */
  async #splitOn(): Promise<boolean> {
    const state = this.#known();
    if (state?.phase === "handed") {
      await this.#openChildren(state);
      return false;
    }
    if (state?.phase !== "splitting") return false;
    const batch = this.#handover.batch(state.progress ?? { step: "clear" });
    if (!batch.last) {
      await this.#handDown(state, batch);
      return true;
    }
    // The last changes go down while no other can come; whatever comes later goes to the children.
    const failure = await this.ctx.blockConcurrencyWhile(async () => {
      try {
        const rest = this.#handover.batch({ step: "changes" });
        await this.#handDown(state, rest);
        if (rest.last)
          this.#change(state.application, state.cell, (now) => {
            if (now.progress?.step === "changes") now.phase = "handed";
          });
        return null;
      } catch (error) {
        // What throws here would end the object.
        return { error };
      }
    });
    if (failure) throw failure.error;
    return true;
  }

  async #handDown({ application, cell, progress }: CellState, batch: Batch): Promise<void> {
    const turn = this.#change(application, cell, (state) => ++state.turn);
    const parts = partsOf(batch, childrenOf(cell), (address, id) => childToward(cell, address, hash53(id)));
    await Promise.all(
      [...parts].map(([child, part]) =>
        cellStub(this.env.CELL, application, child).hand(application, child, { ...part, turn }),
      ),
    );
    this.#change(application, cell, (state) => {
      // A rebuild may have set the whole back meanwhile.
      if (state.progress?.step !== progress?.step) return;
      this.#handover.unmark(batch.upTo);
      state.progress = batch.next;
    });
  }

  /** Lets the children show what they were handed, and shows them. */
  async #openChildren({ application, cell }: CellState): Promise<void> {
    const reports = await Promise.all(
      childrenOf(cell).map((child) => cellStub(this.env.CELL, application, child).open(application, child)),
    );
    this.#change(application, cell, (state) => {
      for (const report of reports) if (report) this.#store.putChild(report);
      this.#handover.clear();
      this.#activity.reread();
      Object.assign(state, { phase: "split", progress: null, changed: true, publishedAt: 0 });
    });
  }

  /** Splits on, and publishes. Never throws: a failed alarm would be given up by the platform after a few tries. */
  override async alarm(): Promise<void> {
    const cell = this.#known()?.cell;
    try {
      for (let step = 0; step < stepsPerAlarm && (await this.#splitOn()); step++);
      const state = this.#known();
      if (!state || state.phase === "filling") return;
      const at = publishingAt(state, Date.now(), 0);
      if (at !== null && at <= Date.now()) await this.#publish(state);
      await this.#schedule();
    } catch (error) {
      console.error({ event: "cell not published or split", cell, error: errorText(error) });
      await this.ctx.storage.setAlarm(Date.now() + retryMs);
    }
  }
}
