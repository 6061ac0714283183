import { decodeProfile } from "../../../model/profile/codec.ts";
import { timesCountedOf } from "../../../model/profile/counted-choices.ts";
import { mergeProfiles } from "../../../model/profile/merge-profiles.ts";
import type { UserProfile } from "../../../model/profile/profile.ts";
import { isFiner } from "../../../shared/consent/levels.ts";
import { differingFields } from "../../../shared/contracts/event-content.ts";
import type { Precision } from "../../../shared/contracts/primitives.ts";
import type { KnownToTarget } from "../../../shared/services/user-api.ts";
import { hasTable } from "../../has-table.ts";
import { addStoredCounts } from "../impressions/count-closed-impression.ts";
import { sendCounts } from "../impressions/count-in-experiments.ts";
import { decodeContent } from "../ingest/sent-content.ts";
import type { SessionState } from "../session-state.ts";
import type { SessionStore } from "../store/session-store.ts";
import type { EarlierMerge, MergeCommit, MergeCommitted, MergeSource, StagedPage } from "./merge-messages.ts";
import { StagedRows } from "./staged-rows.ts";

/**
 * State of a merge in the object of the user that stays. `prepared`: pages are staged. `committed`: the source's data
 * belongs to this user, and the source still copies rows. `done`: the source's object is empty.
 */
type IncomingState = "prepared" | "committed" | "done";

type IncomingRow = Record<string, SqlStorageValue> & {
  pseudonym: string;
  user_id: string;
  generation: number;
  state: IncomingState;
  /** The answer to the commit, as JSON, so that a repeated commit gets the same; null before. */
  committed: string | null;
  at: number;
};

/** The merges of other users into this one. All methods are synchronous: the caller runs them in one transaction. */
export class IncomingMerges {
  readonly #sql: SqlStorage;
  readonly #store: SessionStore;
  readonly #staged: StagedRows;

  constructor(sql: SqlStorage, store: SessionStore) {
    this.#sql = sql;
    this.#store = store;
    this.#staged = new StagedRows(sql, store.receipts);
  }

  #hasTables(): boolean {
    return hasTable(this.#sql, "incoming_merges");
  }

  #rows(where: string, ...values: SqlStorageValue[]): IncomingRow[] {
    if (!this.#hasTables()) return [];
    return this.#sql
      .exec<IncomingRow>(`SELECT * FROM incoming_merges WHERE ${where} ORDER BY pseudonym`, ...values)
      .toArray();
  }

  #find({ pseudonym, generation }: Pick<MergeSource, "pseudonym" | "generation">): IncomingRow | null {
    return this.#rows("pseudonym = ? AND generation = ?", pseudonym, generation)[0] ?? null;
  }

  #put({ pseudonym, userId, generation }: MergeSource, state: IncomingState, at: number): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO incoming_merges VALUES (?, ?, ?, ?, NULL, ?)",
      pseudonym,
      userId,
      generation,
      state,
      at,
    );
  }

  /** Returns whether a merge has begun whose source still has data. */
  hasUnfinished(): boolean {
    return this.#rows("state <> 'done'").length > 0;
  }

  /** Returns the users whose data belongs to this user, or may soon: all but those whose merge was cancelled. */
  sources(): (EarlierMerge & { isCommitted: boolean })[] {
    return this.#rows("true").map(({ pseudonym, user_id, generation, state, at }) => ({
      ...{ pseudonym, userId: user_id, generation, at },
      isCommitted: state !== "prepared",
    }));
  }

  /** Notes that pages of the source will arrive. A repeated call changes nothing. */
  prepare(source: MergeSource, now: number): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS incoming_merges (
        pseudonym TEXT PRIMARY KEY, user_id TEXT NOT NULL, generation INTEGER NOT NULL, state TEXT NOT NULL,
        committed TEXT, at REAL NOT NULL) WITHOUT ROWID`,
    );
    this.#staged.createTables();
    if (this.#find(source) === null) this.#put(source, "prepared", now);
  }

  /** Stages a page. Returns false if the merge was cancelled, or this user was erased. */
  stage(source: MergeSource, page: StagedPage): boolean {
    const row = this.#find(source);
    if (row === null) return false;
    if (row.state === "prepared") this.#staged.add(source.pseudonym, page);
    return true;
  }

  /** Cancels a merge. Returns false if it is committed already, so that it has to end. */
  cancel(source: MergeSource): boolean {
    const row = this.#find(source);
    if (row === null) return true;
    if (row.state !== "prepared") return false;
    this.#staged.remove(source.pseudonym);
    this.#sql.exec("DELETE FROM incoming_merges WHERE pseudonym = ?", source.pseudonym);
    return true;
  }

  /**
   * Takes the profile, counts and staged pages of the source: exactly once, because a repeated call finds the answer of
   * the first. Returns null if the merge was cancelled, or this user was erased.
   */
  commit(
    state: SessionState,
    source: MergeSource,
    commit: MergeCommit,
    generation: number,
    now: number,
  ): MergeCommitted | null {
    const row = this.#find(source);
    if (row === null) return null;
    if (row.committed !== null) return JSON.parse(row.committed);
    const { pseudonym } = source;
    const into = state.profile;
    const from = decodeProfile(commit.profile, commit.sourcePrecision);
    const known: KnownToTarget = {
      ...this.#knownEvents(state, pseudonym),
      chosen: [...from.products.keys()].filter((id) => into.products.get(id)?.counted !== undefined),
      purchased: [...from.purchased.keys()].filter((id) => hasCountedPurchase(into, id)),
    };
    const seqOffset = state.reserveSeqs(commit.seq);
    this.#staged.adopt(pseudonym, seqOffset);
    state.replaceProfile(profileOfBoth(into, from, commit.precision));
    this.#addCounts(state, commit.counts, now);
    for (const earlier of commit.earlier) this.#put(earlier, "done", earlier.at);
    state.receiptAdded();
    state.saveSnapshot(true);
    const committed = { generation, precision: state.profile.precision, seqOffset, known };
    this.#sql.exec(
      "UPDATE incoming_merges SET state = 'committed', committed = ? WHERE pseudonym = ?",
      JSON.stringify(committed),
      pseudonym,
    );
    return committed;
  }

  /** Compares staged events with events of this user that the user database may not hold yet. */
  #knownEvents(state: SessionState, pseudonym: string): Pick<KnownToTarget, "equal" | "conflicting"> {
    const events: Pick<KnownToTarget, "equal" | "conflicting"> = { equal: [], conflicting: [] };
    const openIds = [...state.openRows.values()].map(({ id }) => id);
    for (const { id, content } of this.#staged.findEvents(pseudonym, openIds)) {
      const own = this.#store.findRow(id)?.content ?? null;
      const isEqual =
        own === null ||
        content === null ||
        differingFields(decodeContent(own), decodeContent(content)).length === 0;
      events[isEqual ? "equal" : "conflicting"].push(id.slice(id.indexOf(":") + 1));
    }
    return events;
  }

  /** Adds the source's counts of experiments to this user's, and sends the sums. */
  #addCounts(state: SessionState, counts: MergeCommit["counts"], now: number): void {
    for (const [name, value] of counts) {
      const sums = addStoredCounts(this.#store.getMeta(name), value);
      this.#store.setMeta(name, JSON.stringify({ ...sums, at: now }));
      sendCounts(state, name, sums, now);
    }
  }

  /** Notes that the source's object is empty. */
  finish(source: MergeSource): void {
    if (!this.#hasTables()) return;
    this.#sql.exec(
      "UPDATE incoming_merges SET state = 'done', committed = NULL WHERE pseudonym = ? AND state = 'committed'",
      source.pseudonym,
    );
  }

  /** Forgets all merges and staged pages, within the transaction that erases the user. */
  clear(): void {
    if (!this.#hasTables()) return;
    this.#sql.exec("DELETE FROM incoming_merges");
    this.#staged.clear();
  }
}

/** Returns whether a user counts among the buyers of a product. */
const hasCountedPurchase = ({ products }: UserProfile, productId: string): boolean =>
  timesCountedOf(products.get(productId)?.counted, "purchase") > 0;

/**
 * Returns the profile of the user that stays with the history of the other. A user that has stated no settings takes
 * those of the other. Locations that are finer than the settings allow are left out.
 */
function profileOfBoth(into: UserProfile, from: UserProfile, fromPrecision: Precision): UserProfile {
  const settings = into.settingsVersion === 0 && from.settingsVersion > 0 ? from : into;
  const { home, precision, statedPrecision } = settings;
  const at = (profile: UserProfile, stored: Precision): UserProfile =>
    isFiner(stored, precision)
      ? { ...profile, location: null, unconfirmedLocation: null, places: new Map(), shown: new Map() }
      : profile;
  return {
    ...mergeProfiles(at(into, into.precision), at(from, fromPrecision)),
    ...{ home, precision, statedPrecision, settingsVersion: into.settingsVersion },
    // What is stored about `into` stays finer until its coarsening.
    finestStored: isFiner(precision, into.finestStored) ? precision : into.finestStored,
  };
}
