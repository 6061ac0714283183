import { ActivityStore } from "./activity-store.ts";
import { type CellState, canDeferCompaction, initialState, withoutPendingCounts } from "./cell-state.ts";
import { CellStore } from "./cell-store.ts";
import { ShardMigration } from "./shard-migration.ts";

/** All tables of one cell, and its state as cached in memory. */
export class CellTables {
  readonly store: CellStore;
  readonly activity: ActivityStore;
  readonly migration: ShardMigration;
  readonly #storage: DurableObjectStorage;
  #cachedState: CellState | null = null;
  /** Whether this instance knows that the tables exist. */
  #created = false;

  /** `minUsers`: number of different users behind a transition from which on tiles show it. */
  constructor(storage: DurableObjectStorage, minUsers: number) {
    this.#storage = storage;
    this.store = new CellStore(storage.sql);
    this.activity = new ActivityStore(storage.sql, minUsers);
    this.migration = new ShardMigration(storage.sql);
  }

  #createTables(): void {
    if (this.#created) return;
    this.store.createTables();
    this.activity.createTables();
    this.#created = true;
  }

  /** Returns the cell's state, including interactions in pending deltas; null if nothing was written to the cell. */
  state(): CellState | null {
    if (this.#cachedState || !this.store.hasTables()) return this.#cachedState;
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
          before && canDeferCompaction(state) && compactions === this.activity.compactions;
        if (!countsArePending || withoutPendingCounts(before) !== withoutPendingCounts(state))
          this.store.setState(state);
        this.#cachedState = state;
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
