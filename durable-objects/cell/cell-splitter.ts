import { hash53 } from "../../model/columns/hash.ts";
import type { ChildSummary } from "../../model/tiles/build-tiles.ts";
import { childCells, nextCellToward } from "../../shared/geo/cells.ts";
import type { CellState } from "./cell-state.ts";
import type { CellTables } from "./cell-tables.ts";
import { type MigrationBatch, type MigrationPart, splitByChild } from "./shard-migration.ts";
import { nextVersion } from "./tile-version.ts";

/** The methods of a child cell that a split calls. */
interface ReceivingCell {
  receiveMigration(application: string, cell: string, part: MigrationPart): PromiseLike<void>;
  activate(application: string, cell: string): PromiseLike<ChildSummary | null>;
}

/** Splits a leaf cell with too many products: migrates the products to child cells, one batch per step. */
export class CellSplitter {
  readonly #ctx: DurableObjectState;
  readonly #tables: CellTables;
  readonly #childStub: (application: string, child: string) => ReceivingCell;

  constructor(
    ctx: DurableObjectState,
    tables: CellTables,
    childStub: (application: string, child: string) => ReceivingCell,
  ) {
    this.#ctx = ctx;
    this.#tables = tables;
    this.#childStub = childStub;
  }

  /** Runs the next step of the split. Returns whether another step follows. A step that failed midway is repeated. */
  async step(): Promise<boolean> {
    const state = this.#tables.state();
    if (state?.phase === "migrated") {
      await this.#activateChildren(state);
      return false;
    }
    if (state?.phase !== "splitting") return false;
    const batch = this.#tables.migration.nextBatch(state.progress ?? { step: "clear" });
    if (!batch.last) {
      await this.#migrateBatch(state, batch);
      return true;
    }
    // The last batch is sent while the cell accepts no other call. Later changes go to the children.
    const failure = await this.#ctx.blockConcurrencyWhile(async () => {
      try {
        const rest = this.#tables.migration.nextBatch({ step: "changes" });
        await this.#migrateBatch(state, rest);
        if (rest.last)
          this.#tables.transaction(state.application, state.cell, (current) => {
            if (current.progress?.step === "changes") current.phase = "migrated";
          });
        return null;
      } catch (error) {
        // The platform resets an object whose blockConcurrencyWhile callback throws.
        return { error };
      }
    });
    if (failure) throw failure.error;
    return true;
  }

  async #migrateBatch({ application, cell, progress }: CellState, batch: MigrationBatch): Promise<void> {
    const seq = this.#tables.transaction(application, cell, (state) => ++state.migrationSeq);
    const parts = splitByChild(batch, childCells(cell), (address, id) =>
      nextCellToward(cell, address, hash53(id)),
    );
    await Promise.all(
      [...parts].map(([child, part]) =>
        this.#childStub(application, child).receiveMigration(application, child, { ...part, seq }),
      ),
    );
    this.#tables.transaction(application, cell, (state) => {
      // A rebuild may have restarted the migration meanwhile.
      if (state.progress?.step !== progress?.step) return;
      this.#tables.migration.deleteChanges(batch.upToChange);
      state.progress = batch.next;
    });
  }

  /** Makes the children publish what they received, then turns this cell into their parent. */
  async #activateChildren({ application, cell }: CellState): Promise<void> {
    const summaries = await Promise.all(
      childCells(cell).map((child) => this.#childStub(application, child).activate(application, child)),
    );
    const { store, migration, activity } = this.#tables;
    this.#tables.transaction(application, cell, (state) => {
      for (const summary of summaries) if (summary) store.putChildSummary(summary);
      migration.clear();
      activity.invalidate();
      state.phase = "split";
      state.version = nextVersion(state.version, Date.now());
      state.progress = null;
      state.contentChanged = true;
      state.publishedAt = 0;
    });
  }
}
