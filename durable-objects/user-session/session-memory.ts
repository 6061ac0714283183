import { applyInteraction } from "../../model/profile/apply.ts";
import { decodeProfile, encodeProfile } from "../../model/profile/codec.ts";
import { emptyProfile, type UserProfile } from "../../model/profile/profile.ts";
import type { Interaction } from "../../shared/contracts/event.ts";
import type { OutboxRow, PlaceVisit } from "../../shared/contracts/queues.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import type { JournalRow, OpenRow, OutboxQueue, SessionStore } from "./store.ts";

/**
 * Rows that may come before the person is written out again. It is tens of kilobytes, a row less than one: what an
 * event costs is the row. More would make an object slower that wakes up and takes them once more.
 */
const rowsPerSnapshot = 16;
/** Counts of an experiment that have not grown for so long, in seconds, are of one that is over. */
const countsKeptSeconds = 90 * 86_400;

/** Takes an interaction into the person, in place. */
export function applyEvent(profile: UserProfile, event: Interaction): void {
  const { facts, at, time } = event;
  applyInteraction(
    profile,
    event,
    localOffset(facts.lat ?? at?.lat ?? null, facts.lon ?? at?.lon ?? null, time),
  );
}

/** Takes a place where the person was, in place; the newest is kept. */
export function applyVisit(profile: UserProfile, { lat, lon, time }: Omit<PlaceVisit, "seq">): void {
  if (profile.location === null || time >= profile.location.time) profile.location = { lat, lon, time };
}

/** What a row of the journal did to the person, once more. What lies there was parsed at the door. */
function replay(profile: UserProfile, { queue, body }: Pick<JournalRow, "queue" | "body">): void {
  if (body === null) return;
  const row: unknown = JSON.parse(body);
  if (queue === "locations") applyVisit(profile, row as PlaceVisit);
  else if ((row as OutboxRow).kind === "interaction")
    applyEvent(profile, (row as Extract<OutboxRow, { kind: "interaction" }>).interaction);
}

/** An open row. */
export interface Waiting extends Omit<OpenRow, "time"> {
  /** When it is to be sent (again), seconds since the epoch. */
  due: number;
  /** Seconds to wait for its confirmation when it is sent. */
  retryDelay: number;
}

/**
 * What the object remembers between two calls: the person, and which rows of the journal are open. It is read once, from
 * the last snapshot and the rows since. It is dropped where a transaction fails, so that it never knows more than the tables.
 */
export class SessionMemory {
  readonly #store: SessionStore;
  readonly #retryDelay: number;
  /** Open rows by sequence number. */
  readonly open = new Map<number, Waiting>();
  #profile: UserProfile | null = null;
  /** The person as bytes, empty for someone unknown; null where they changed since. */
  #bytes: Uint8Array | null = new Uint8Array();
  #seq = 0;
  #snapshotSeq = 0;
  #pruned: number;
  /** Whether there is anything that has a lifetime; undefined where that was not asked yet. */
  #passing: boolean | undefined;

  /** `resendSeconds`: an open row is due so long after it came, whoever sends it first. */
  constructor(store: SessionStore, now: number, resendSeconds: number) {
    this.#store = store;
    this.#retryDelay = resendSeconds;
    this.#pruned = now;
    if (!store.exists()) return;
    const snapshot = store.snapshot();
    if (snapshot) {
      this.#bytes = snapshot.body;
      this.#seq = this.#snapshotSeq = snapshot.seq;
      this.#pruned = snapshot.pruned;
    }
    for (const { seq, id, queue, time, open, body } of store.unfinished(this.#snapshotSeq)) {
      if (seq > this.#snapshotSeq) {
        replay(this.profile, { queue, body });
        this.#bytes = null;
        this.#seq = seq;
      }
      if (open === 1)
        this.open.set(seq, { seq, id, queue, due: time + resendSeconds, retryDelay: resendSeconds });
    }
  }

  /** To be read; whoever changes it says so by {@link changed}. */
  get profile(): UserProfile {
    this.#profile ??= this.#bytes && this.#bytes.byteLength > 0 ? decodeProfile(this.#bytes) : emptyProfile();
    return this.#profile;
  }

  changed(): void {
    this.#bytes = null;
  }

  /** The person as bytes; empty for someone of whom nothing is known. */
  get bytes(): Uint8Array {
    this.#bytes ??= encodeProfile(this.profile);
    return this.#bytes;
  }

  /** Whether anything is held that will be forgotten one day. */
  get isPrunable(): boolean {
    this.#passing ??= this.#store.holdsPassing();
    return this.#passing;
  }

  /** A receipt was kept beside the rows. */
  keptReceipt(): void {
    this.#passing = true;
  }

  /** When old rows were last forgotten. */
  get pruned(): number {
    return this.#pruned;
  }

  /**
   * Adds a row and answers its sequence number; null where one of this id is there. `due` is null for one without a body,
   * which is closed from the start. `first` says whether it is the person's first interaction with its product.
   */
  add(
    queue: OutboxQueue,
    id: string,
    time: number,
    body: object | null,
    due: number | null,
    first = false,
  ): number | null {
    const seq = this.#seq + 1;
    const text = body === null ? null : JSON.stringify(body);
    if (!this.#store.add({ seq, id, queue, time, body: text, first })) return null;
    this.#seq = seq;
    this.#passing = true;
    if (due !== null) this.open.set(seq, { seq, id, queue, due, retryDelay: this.#retryDelay });
    return seq;
  }

  /**
   * Makes a row, of which only the id was kept, one of the outbox: whoever was to bring it to the records may have died on
   * the way. Answers whether there was such a row.
   */
  reopen(queue: OutboxQueue, id: string, body: object, due: number): boolean {
    const seq = this.#store.reopen(id, JSON.stringify(body));
    if (seq === null) return false;
    this.open.set(seq, { seq, id, queue, due, retryDelay: this.#retryDelay });
    return true;
  }

  /** Writes the person out if so many rows came since, or if it must be. */
  snapshot(must: boolean): void {
    if (!must && this.#seq - this.#snapshotSeq < rowsPerSnapshot) return;
    this.#store.putSnapshot({ body: this.bytes, seq: this.#seq, pruned: this.#pruned });
    this.#snapshotSeq = this.#seq;
  }

  /** Closes rows. */
  close(seqs: readonly number[]): void {
    const rows = seqs.flatMap((seq) => this.open.get(seq) ?? []);
    if (rows.length === 0) return;
    this.#store.close(rows.map(({ id }) => id));
    for (const { seq } of rows) this.open.delete(seq);
  }

  /** Forgets what is older than `before`. */
  prune(before: number, now: number): void {
    this.#pruned = now;
    this.snapshot(true);
    this.#store.prune(before, this.#snapshotSeq);
    this.#store.pruneCounts(now - countsKeptSeconds);
    this.#passing = undefined;
  }
}
