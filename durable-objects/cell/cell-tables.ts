import { ActivityStore } from "./activity-store.ts";
import {
  type CellState,
  canDeferCompaction,
  initialState,
  showsOwnProducts,
  withoutPendingCounts,
} from "./cell-state.ts";
import { CellStore } from "./cell-store.ts";
import { ShardMigration } from "./shard-migration.ts";

/** The tables of a cell, and those of earlier versions, which are dropped. */
const currentTables = [
  ...["meta", "products", "forwards", "children", "changes"],
  ...["next_products", "pending_deltas", "compacted", "hours", "counted_keys"],
];
const earlierTables = ["totals", "followers", "steps"];

/** All tables of one cell, and its state as cached in memory. */
export class CellTables {
  readonly store: CellStore;
  readonly activity: ActivityStore;
  readonly migration: ShardMigration;
  readonly #storage: DurableObjectStorage;
  #cachedState: CellState | null = null;
  /** Number of transactions of this instance: equal numbers mean equal content. */
  revision = 0;
  /** Whether this instance knows that the tables exist. */
  #created = false;

  /** `minUsers`: number of different users behind a transition from which on tiles show it. */
  constructor(storage: DurableObjectStorage, minUsers: number) {
    this.#storage = storage;
    this.store = new CellStore(storage.sql);
    this.activity = new ActivityStore(storage.sql, minUsers);
    this.migration = new ShardMigration(storage.sql);
  }

  /** Creates missing tables. An object that wakes up reads their names once instead of preparing a statement for each. */
  #createTables(): void {
    if (this.#created) return;
    const names = this.#storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .toArray()
      .map(({ name }) => name);
    if (
      !currentTables.every((name) => names.includes(name)) ||
      earlierTables.some((name) => names.includes(name))
    ) {
      this.store.createTables();
      this.activity.createTables();
    }
    this.#created = true;
  }

  /** Returns the cell's state, including interactions in pending deltas; null if nothing was written to the cell. */
  state(): CellState | null {
    if (this.#cachedState || (!this.#created && !this.store.hasTables())) return this.#cachedState;
    this.#createTables();
    const state = this.store.state();
    if (state) {
      state.pendingInteractions += this.activity.countedAfter(state.countedUpToSeq);
      state.countedUpToSeq = this.activity.seq;
    }
    this.#cachedState = state;
    return state;
  }

  /** Runs `change` in one transaction over the tables and the state. If `change` fails, both stay as they were. */
  transaction<T>(application: string, cell: string, change: (state: CellState) => T): T {
    try {
      return this.#storage.transactionSync(() => {
        this.#createTables();
        const before = this.state();
        const { compactions } = this.activity;
        const state: CellState = before ? { ...before } : { application, cell, ...initialState };
        const result = change(state);
        state.countedUpToSeq = this.activity.seq;
        // A call that adds activity writes one row, its pending delta, so the counts are not written to the state too.
        const countsArePending =
          before &&
          showsOwnProducts(state) &&
          canDeferCompaction(state) &&
          compactions === this.activity.compactions;
        if (!countsArePending || withoutPendingCounts(before) !== withoutPendingCounts(state))
          this.store.setState(state);
        this.#cachedState = state;
        this.revision++;
        return result;
      });
    } catch (error) {
      this.#cachedState = null;
      this.#created = false;
      this.activity.invalidate();
      throw error;
    }
  }
}
