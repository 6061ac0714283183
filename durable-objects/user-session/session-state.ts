import { withArrival } from "../../model/profile/activity.ts";
import { type AppliedInteraction, applyInteraction } from "../../model/profile/apply-interaction.ts";
import { believeLocation } from "../../model/profile/believe-location.ts";
import { decodeProfile, encodeProfile, encodeShown } from "../../model/profile/codec.ts";
import type { UserProfile } from "../../model/profile/profile.ts";
import { noteShown } from "../../model/profile/shown-products.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import type { OutboxRow, PlaceVisit } from "../../shared/contracts/queues.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { type CountedEvent, notCounted } from "./store/counted-event.ts";
import type { JournalRow, OutboxQueue, SessionStore } from "./store/session-store.ts";

/**
 * Number of rows between two snapshots of the profile. A snapshot takes tens of kilobytes and a row less than one, so
 * an event costs little more than its row. More rows would slow down an object that wakes up, because it replays them.
 */
const rowsPerSnapshot = 16;
/** Counts of an experiment that have not grown for this long, in seconds, belong to a finished experiment. */
const countsLifetimeSeconds = 90 * daySeconds;

/**
 * Applies an interaction to the profile, in place. Returns false if it has a location that is not believed: the
 * interaction then counts as one without a location.
 */
export function applyEventToProfile(profile: UserProfile, event: AppliedInteraction): boolean {
  const { facts, time } = event;
  const believed = event.location === null || believeLocation(profile, { ...event.location, time });
  const location = believed ? event.location : null;
  applyInteraction(
    profile,
    { ...event, location },
    utcOffsetAt(facts.lat ?? location?.lat ?? null, facts.lon ?? location?.lon ?? null, time),
  );
  return believed;
}

/**
 * Applies a visited location to the profile, in place. The newest location is kept. Returns false if the location is
 * not believed.
 */
export function applyVisitToProfile(
  profile: UserProfile,
  { lat, lon, time }: Omit<PlaceVisit, "seq">,
): boolean {
  if (!believeLocation(profile, { lat, lon, time })) return false;
  if (profile.location === null || time >= profile.location.time) profile.location = { lat, lon, time };
  return true;
}

/** Applies a row of the journal to the profile again. The row is not validated, because this object wrote it. */
function replay(
  profile: UserProfile,
  { queue, body, time }: Pick<JournalRow, "queue" | "body" | "time">,
): void {
  if (body === null) return;
  const row: unknown = JSON.parse(body);
  if (queue === "locations") {
    applyVisitToProfile(profile, row as PlaceVisit);
    profile.activity = withArrival(profile.activity, "locations", time);
  } else if ((row as OutboxRow).kind === "interaction") {
    applyEventToProfile(profile, (row as Extract<OutboxRow, { kind: "interaction" }>).interaction);
    profile.activity = withArrival(profile.activity, "events", time);
  }
}

/** An open row of the journal, and when it is sent. */
export interface ScheduledRow extends Pick<JournalRow, "seq" | "id" | "queue"> {
  /** When the row was added, seconds since the epoch. */
  added: number;
  /**
   * When the row was sent last, seconds since the epoch; null if only the outbox sends it and has not yet. The caller of
   * `ingest` sends the rows of events, unless it fails.
   */
  sent: number | null;
  /** When the row is sent, or looked at again, seconds since the epoch. */
  due: number;
}

/** The encoded profile of a user, unless who asked for it knows it. */
export interface VersionedProfile {
  /**
   * Names this profile. Another profile of the user never has the same version, and the same profile may get another one:
   * an object that wakes up, or whose transaction failed, names its profile anew.
   */
  version: string;
  /** The encoded profile, empty for an unknown user; null for who knows this version, or all but `shown` of it. */
  bytes: Uint8Array | null;
  /** By `encodeShown`, for who knows a profile that differs only in which products lists showed; else absent. */
  shown?: Uint8Array;
}

/**
 * The state that the object keeps in memory between two calls: the profile and the open rows of the journal. The
 * constructor reads the state from the last snapshot, the rows after it and the open receipts. The object discards the state if a
 * transaction fails, so that the state never differs from the tables.
 */
export class SessionState {
  readonly #store: SessionStore;
  readonly #resendSeconds: number;
  readonly #defaultConsent: Precision;
  /** Open rows by sequence number. */
  readonly openRows = new Map<number, ScheduledRow>();
  #profile: UserProfile | null = null;
  /** The encoded profile, empty for an unknown user; null if the profile changed since. */
  #bytes: Uint8Array | null = new Uint8Array();
  /** Names the profile without what lists showed; null until somebody asks for it. */
  #version: string | null = null;
  /** Lists that were noted since the object woke up: they distinguish profiles of one {@link #version}. */
  #listsNoted = 0;
  /** How many of them the last snapshot includes, and the time of the newest, in seconds since the epoch. */
  #listsSaved = 0;
  #savedUntil = 0;
  #seq = 0;
  #snapshotSeq = 0;
  /** Whether a row was opened again that the last snapshot does not list. */
  #hasReopened = false;
  #prunedAt: number;
  /** Whether there are rows that expire; undefined until it is read. */
  #hasExpiringRows: boolean | undefined;
  /** When the newest row was added, and the newest one before that time, in seconds since the epoch. */
  #lastRowAt = Number.NEGATIVE_INFINITY;
  #rowBeforeAt = Number.NEGATIVE_INFINITY;

  /**
   * `resendSeconds`: delay after which a row that was sent is looked at, in seconds. `defaultConsent`: consent of a user who states
   * none.
   */
  constructor(store: SessionStore, now: number, resendSeconds: number, defaultConsent: Precision) {
    this.#store = store;
    this.#defaultConsent = defaultConsent;
    this.#resendSeconds = resendSeconds;
    this.#prunedAt = now;
    if (!store.hasTables()) return;
    const snapshot = store.snapshot();
    if (snapshot) {
      this.#bytes = snapshot.body;
      this.#seq = this.#snapshotSeq = snapshot.seq;
      this.#prunedAt = snapshot.prunedAt;
    }
    const found = store.rowsSince(this.#snapshotSeq, snapshot?.open ?? null);
    const marks = { interactions: store.sentMark("interactions"), locations: store.sentMark("locations") };
    for (const { seq, id, queue, time, open, body } of found) {
      if (seq > this.#snapshotSeq) {
        replay(this.profile, { queue, body, time });
        this.profileChanged();
        this.#seq = seq;
      }
      this.#noteRow(time);
      if (open === 0) continue;
      const mark = marks[queue];
      const sent = mark !== null && seq <= mark.seq ? Math.max(time, mark.at) : time;
      this.openRows.set(seq, { seq, id, queue, added: time, sent, due: sent + resendSeconds });
    }
    // The open receipts hold what was shown since the snapshot, so that an impression costs no snapshot.
    const lists = store.receipts.openLists();
    if (lists.length === 0) return;
    this.#savedUntil = this.profile.shownUntil;
    for (const { productIds, time } of lists) if (time > this.#savedUntil) this.listShown(productIds, time);
  }

  /** Notes in the profile which products a list of `time` (seconds since the epoch) showed, in their order. */
  listShown(productIds: readonly string[], time: number): void {
    noteShown(this.profile, productIds, time);
    this.#bytes = null;
    this.#listsNoted++;
  }

  /**
   * Must be called within the transaction that closes the click window of a list of `time` (seconds since the epoch): what it
   * showed must be in a snapshot by then. One includes all lists noted so far, so that half an hour costs one at most.
   */
  windowClosed(time: number): void {
    this.saveSnapshot(this.#listsNoted > this.#listsSaved && time > this.#savedUntil);
  }

  #noteRow(time: number): void {
    if (time <= this.#lastRowAt) return;
    this.#rowBeforeAt = this.#lastRowAt;
    this.#lastRowAt = time;
  }

  /**
   * Returns the seconds between the call that added the newest row and the one before it; infinity if this is not known.
   */
  get secondsBetweenRows(): number {
    return this.#rowBeforeAt === Number.NEGATIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : this.#lastRowAt - this.#rowBeforeAt;
  }

  /** Returns the profile. A caller that changes the profile calls {@link profileChanged}. */
  get profile(): UserProfile {
    this.#profile ??= decodeProfile(this.#bytes ?? new Uint8Array(), this.#defaultConsent);
    return this.#profile;
  }

  /** Discards the encoded profile and its version. */
  profileChanged(): void {
    this.#bytes = null;
    this.#version = null;
  }

  /** Returns the encoded profile; empty for an unknown user. */
  get bytes(): Uint8Array {
    this.#bytes ??= encodeProfile(this.profile);
    return this.#bytes;
  }

  /**
   * Returns the version of the encoded profile, and the bytes unless `known` is that version. With `takesShown`, who knows
   * all but what lists showed gets only this.
   */
  versionedProfile(known: string | null, takesShown: boolean): VersionedProfile {
    this.#version ??= crypto.randomUUID();
    const version = `${this.#version}:${this.#listsNoted}`;
    if (known === version) return { version, bytes: null };
    if (takesShown && known?.startsWith(`${this.#version}:`))
      return { version, bytes: null, shown: encodeShown(this.profile) };
    return { version, bytes: this.bytes };
  }

  /** Replaces the profile. */
  replaceProfile(profile: UserProfile): void {
    this.#profile = profile;
    this.profileChanged();
  }

  /** Returns the largest sequence number of a row. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Reserves sequence numbers for `count` rows of another user, and returns what is added to their own numbers. The
   * caller adds the rows and saves a snapshot in the same transaction.
   */
  reserveSeqs(count: number): number {
    const offset = this.#seq;
    this.#seq += count;
    return offset;
  }

  /** Returns whether there are journal rows or receipts, which expire. */
  get hasExpiringRows(): boolean {
    this.#hasExpiringRows ??= this.#store.hasExpiringRows();
    return this.#hasExpiringRows;
  }

  /** Must be called after a receipt, or rows of another user, were stored. */
  receiptAdded(): void {
    this.#hasExpiringRows = true;
  }

  /** Returns when expired rows were last deleted, seconds since the epoch. */
  get prunedAt(): number {
    return this.#prunedAt;
  }

  /**
   * Adds a row. Returns the sequence number of the row; null if there is a row with this id already. `due` is when the
   * outbox looks after a row that the caller sends, `time` for a row that only the outbox sends, and null for a row without
   * a body, which is closed from the start. Of an event, `counted` says how it counts for others, and
   * `content` is what the client said in it.
   */
  addRow(
    queue: OutboxQueue,
    id: string,
    time: number,
    body: object | null,
    due: number | null,
    counted: CountedEvent = notCounted,
    content: string | null = null,
  ): number | null {
    const seq = this.#seq + 1;
    const text = body === null ? null : JSON.stringify(body);
    if (!this.#store.addRow({ seq, id, queue, time, body: text, content, ...counted })) return null;
    this.#seq = seq;
    this.#noteRow(time);
    this.#hasExpiringRows = true;
    if (due !== null)
      this.openRows.set(seq, { seq, id, queue, added: time, sent: due > time ? time : null, due });
    return seq;
  }

  /**
   * Adds a body to a row that has only an id, so that the outbox sends the row: the caller that was to deliver the row
   * may have failed. `now` is in seconds since the epoch. Returns whether there was such a row.
   */
  reopenRow(queue: OutboxQueue, id: string, body: object, now: number): boolean {
    const seq = this.#store.reopenRow(id, JSON.stringify(body));
    if (seq === null) return false;
    this.openRows.set(seq, { seq, id, queue, added: now, sent: now, due: now + this.#resendSeconds });
    this.#hasReopened = true;
    return true;
  }

  /**
   * Writes a snapshot of the profile if {@link rowsPerSnapshot} rows were added since the last one, if a row was opened
   * again, or if `force` is true.
   */
  saveSnapshot(force: boolean): void {
    const isDue = this.#seq - this.#snapshotSeq >= rowsPerSnapshot || this.#hasReopened;
    if (!force && !isDue) return;
    const seq = this.#seq;
    const open = this.#store.indexLongJournal() ? [...this.openRows.keys()] : null;
    this.#store.putSnapshot({ body: this.bytes, seq, open, prunedAt: this.#prunedAt });
    this.#snapshotSeq = seq;
    this.#listsSaved = this.#listsNoted;
    if (this.#listsSaved > 0) this.#savedUntil = this.profile.shownUntil;
    this.#hasReopened = false;
  }

  /** Closes rows that were delivered; unknown sequence numbers are ignored. */
  closeRows(seqs: readonly number[]): void {
    const rows = seqs.flatMap((seq) => this.openRows.get(seq) ?? []);
    if (rows.length === 0) return;
    this.#store.closeRows(rows.map(({ id }) => id));
    for (const { seq } of rows) this.openRows.delete(seq);
  }

  /**
   * Deletes closed rows, receipts and outcomes from before `before`, and counts of finished experiments; times in
   * seconds.
   */
  prune(before: number, now: number): void {
    this.#prunedAt = now;
    this.saveSnapshot(true);
    this.#store.prune(before, this.#snapshotSeq);
    this.#store.pruneCounts(now - countsLifetimeSeconds);
    this.#hasExpiringRows = undefined;
  }
}
