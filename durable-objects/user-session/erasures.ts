import type { Erasure, ErasureStore } from "../../shared/contracts/erasure.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { eraseFromDeadLetters } from "../../shared/dead-letters/erase.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { UserCountsTable } from "../../shared/experiments/user-counts.ts";
import { eraseFromLog } from "../../shared/training-log/erase.ts";

/**
 * What is done, in this order. `records` sets the tombstone, so that nothing of this life is inserted any more; `object`
 * then begins the next life; what lies elsewhere is looked through. Some time after it is `done` letters and log are looked
 * through once more, for what a consumer left that died just when it was done with somebody.
 */
const phases = [
  "records",
  "object",
  "dead_letters",
  "training_log",
  "settle",
  "done",
  "dead_letters_again",
  "training_log_again",
  "over",
] as const;
type Phase = (typeof phases)[number];

const storesDone: Record<ErasureStore, Phase> = {
  records: "object",
  object: "dead_letters",
  receipts: "dead_letters",
  dead_letters: "training_log",
  training_log: "settle",
  cells: "records",
  caches: "records",
};
/** In the order in which they are done. */
const stores = Object.keys(storesDone) as ErasureStore[];

/** Letters, and objects of the log, that one step reads. */
const deadLettersPerStep = 50;
const objectsPerStep = 50;
/** A consumer of a queue lives at most 15 minutes: so much later, in seconds, all is looked through again. */
const againSeconds = 1200;
/** A step that failed is tried again so many seconds later, ... */
const retrySeconds = 5;
/** ... and later each time, at most so many. */
const longestRetrySeconds = 300;

/** An erasure as it is kept. */
interface Row {
  id: string;
  application: string;
  /** Null once nothing asks for it any more. */
  userId: string | null;
  generation: number;
  phase: Phase;
  /** Where the phase goes on; null for its beginning. */
  position: string | null;
  removed: Partial<Record<ErasureStore, number>>;
  requested: number;
  completed: number | null;
  /** When it goes on, seconds since the epoch; null for never. */
  due: number | null;
  failures: number;
}

type Sql = Record<string, SqlStorageValue> & {
  id: string;
  application: string;
  user_id: string | null;
  generation: number;
  phase: Phase;
  position: string | null;
  removed: string;
  requested: number;
  completed: number | null;
  due: number | null;
  failures: number;
};

/** What the object of the person does for an erasure. */
export interface Erased {
  /** Their pseudonym. */
  object: string;
  /** Forgets everything and begins the life after `generation`, within the transaction that calls it. Answers how much it was. */
  beginAnew(generation: number): { rows: number; receipts: number };
  /** Learns again what the profile says. */
  settle(application: string, userId: string): Promise<void>;
}

/** The erasures of one person, past ones too: durable, and going on step by step until nothing is left anywhere. */
export class Erasures {
  readonly #storage: DurableObjectStorage;
  readonly #env: Pick<RecommendationEnv, "USER" | "DB" | "TRAINING_LOG">;
  readonly #owner: Erased;
  /** When the next step is due; undefined where that was not asked yet. */
  #due: number | null | undefined;
  #running: Promise<void> | null = null;

  constructor(
    storage: DurableObjectStorage,
    env: Pick<RecommendationEnv, "USER" | "DB" | "TRAINING_LOG">,
    owner: Erased,
  ) {
    this.#storage = storage;
    this.#env = env;
    this.#owner = owner;
  }

  #exists(): boolean {
    return this.#storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'erasures'").toArray().length > 0;
  }

  #rows(where: string, ...values: SqlStorageValue[]): Row[] {
    if (!this.#exists()) return [];
    return this.#storage.sql
      .exec<Sql>(`SELECT * FROM erasures WHERE ${where}`, ...values)
      .toArray()
      .map(({ user_id, removed, ...row }) => ({ ...row, userId: user_id, removed: JSON.parse(removed) }));
  }

  #put(row: Row): void {
    this.#due = undefined;
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO erasures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.id,
      row.application,
      row.userId,
      row.generation,
      row.phase,
      row.position,
      JSON.stringify(row.removed),
      row.requested,
      row.completed,
      row.due,
      row.failures,
    );
  }

  /** Begins an erasure of the life of `generation`; one that has begun, and has not yet begun another life, is the same. */
  begin(
    id: string,
    {
      application,
      userId,
      generation,
      now,
    }: { application: string; userId: string; generation: number; now: number },
  ): Erasure {
    this.#storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS erasures (
        id TEXT PRIMARY KEY, application TEXT NOT NULL, user_id TEXT, generation INTEGER NOT NULL, phase TEXT NOT NULL,
        position TEXT, removed TEXT NOT NULL, requested REAL NOT NULL, completed REAL, due REAL,
        failures INTEGER NOT NULL) WITHOUT ROWID`,
    );
    const [begun] = this.#rows("generation = ? AND completed IS NULL", generation);
    if (begun) return view(begun);
    const row: Row = {
      ...{ id, application, userId, generation, phase: phases[0], position: null, removed: {} },
      ...{ requested: now, completed: null, due: now, failures: 0 },
    };
    this.#put(row);
    return view(row);
  }

  /** How far an erasure of an application is. */
  find(application: string, id: string): Erasure | null {
    const [row] = this.#rows("id = ? AND application = ?", id, application);
    return row ? view(row) : null;
  }

  /** When the next step is due, seconds since the epoch; null for never. */
  due(): number | null {
    if (this.#due === undefined)
      this.#due = this.#rows("due IS NOT NULL ORDER BY due LIMIT 1")[0]?.due ?? null;
    return this.#due;
  }

  /** Does steps that are due until `end` (milliseconds since the epoch). Never throws: what fails is tried again later. */
  advance(end: number): Promise<void> {
    this.#running ??= this.#advance(end).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #advance(end: number): Promise<void> {
    for (;;) {
      const now = Date.now() / 1000;
      if ((this.due() ?? Number.POSITIVE_INFINITY) > now) return;
      const [row] = this.#rows("due <= ? ORDER BY requested LIMIT 1", now);
      if (!row) return;
      try {
        await this.#step(row, now);
      } catch (error) {
        console.error({ event: "erasure failed", phase: row.phase, error: errorText(error) });
        const delay = Math.min(longestRetrySeconds, retrySeconds * 2 ** Math.min(row.failures, 10));
        this.#put({ ...row, failures: row.failures + 1, due: now + delay });
      }
      if (Date.now() >= end) return;
    }
  }

  /** One step; it may be repeated, where this dies before it is noted. */
  async #step(row: Row, now: number): Promise<void> {
    const { application, generation } = row;
    const { object } = this.#owner;
    const next: Row = { ...row, failures: 0, due: now, removed: { ...row.removed } };
    const add = (store: ErasureStore, n: number): void => {
      next.removed[store] = (next.removed[store] ?? 0) + n;
    };
    /** Goes on where a look through something stopped, else to the next phase. */
    const goOn = (position: string | null): void => {
      next.position = position;
      if (position === null) next.phase = phases[phases.indexOf(row.phase) + 1];
    };
    // Once the name is no longer kept, letters are asked for the pseudonym alone.
    const life = { userId: row.userId ?? object, object, generation };
    switch (row.phase) {
      case "records": {
        const gone = unwrap(await this.#env.USER.erase(application, life), "the user service");
        const counts = await new UserCountsTable(this.#env.DB).erase(application, [object]);
        add("records", gone.interactions + gone.locations + gone.profiles + counts);
        if (!gone.more) goOn(null);
        break;
      }
      case "object":
        return this.#storage.transactionSync(() => {
          const gone = this.#owner.beginAnew(generation);
          add("object", gone.rows);
          add("receipts", gone.receipts);
          goOn(null);
          this.#put(next);
        });
      case "dead_letters":
      case "dead_letters_again": {
        // The name may have come back with a new profile while its object knew nothing of it.
        if (row.position === null && row.userId !== null) await this.#owner.settle(application, row.userId);
        const step = { application, after: row.position, most: deadLettersPerStep };
        const gone = await eraseFromDeadLetters(this.#env.TRAINING_LOG, step, life);
        add("dead_letters", gone.removed);
        goOn(gone.next);
        break;
      }
      case "training_log":
      case "training_log_again": {
        const step = { application, pseudonym: object, after: row.position, most: objectsPerStep };
        const gone = await eraseFromLog(this.#env.TRAINING_LOG, step, generation);
        add("training_log", gone.removed);
        goOn(gone.next);
        break;
      }
      case "settle":
        if (row.userId !== null) await this.#owner.settle(application, row.userId);
        goOn(null);
        Object.assign(next, { userId: null, completed: now, due: now + againSeconds });
        break;
      case "done":
        goOn(null);
        break;
      case "over":
        next.due = null;
        break;
    }
    this.#put(next);
  }
}

/** An erasure, as whoever asked for it reads it. */
function view({ id, phase, removed, requested, completed }: Row): Erasure {
  const at = phases.indexOf(phase);
  const states = stores.map((store) => {
    const done = at >= phases.indexOf(storesDone[store]);
    return { store, done, removed: removed[store] ?? 0 };
  });
  const running = states.find(({ done }) => !done)?.store;
  return {
    id,
    status: completed === null ? "running" : "done",
    requestedAt: toInstant(requested),
    completedAt: completed === null ? null : toInstant(completed),
    stores: states.map(({ store, done, removed: count }) => ({
      store,
      status: done ? "done" : store === running ? "running" : "waiting",
      removed: count,
    })),
  };
}
