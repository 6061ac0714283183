import type { Erasure, ErasureStore } from "../../shared/contracts/erasure.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { eraseFromDeadLetters } from "../../shared/dead-letters/erase-user.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { ExperimentCountsTable } from "../../shared/experiments/experiment-counts.ts";
import type { UserGeneration } from "../../shared/services/user-api.ts";
import { eraseFromLog } from "../../shared/training-log/erase-user.ts";
import { type JobRow, JobTable } from "./jobs/job-table.ts";
import { phaseAfter, storeProgress } from "./jobs/phases.ts";
import { afterFailure, scanRetryDelays } from "./jobs/retry-delay.ts";
import { deadLettersPerStep, objectsPerStep, secondScanDelaySeconds } from "./jobs/scan-limits.ts";
import { StepRunner } from "./jobs/step-runner.ts";

/**
 * The phases of an erasure, in order. `merged` erases the users that were merged into this one. `records` sets the
 * tombstone, after which no row of the erased generation is inserted. `object` starts the next generation. The following
 * phases scan the other stores. {@link secondScanDelaySeconds} after `complete`, dead-letter messages and training log
 * are scanned again, for data that a queue consumer wrote during the first scan.
 */
const phases = [
  "merged",
  "records",
  "object",
  "dead_letters",
  "training_log",
  "refresh_settings",
  "complete",
  "dead_letters_again",
  "training_log_again",
  "finished",
] as const;
type ErasurePhase = (typeof phases)[number];

/** The first phase in which a store no longer contains the erased generation. Cells and caches name no user. */
const firstPhaseAfter: Record<ErasureStore, ErasurePhase> = {
  records: "object",
  object: "dead_letters",
  receipts: "dead_letters",
  dead_letters: "training_log",
  training_log: "refresh_settings",
  cells: "records",
  caches: "records",
};
/** The stores, in the order in which they are erased. */
const stores = Object.keys(firstPhaseAfter) as ErasureStore[];

/** Delay before the erasure of a merged user is asked for its state again, in seconds. */
const mergedPollSeconds = 2;

/** The stored state of an erasure. Times are seconds since the epoch. */
interface ErasureState {
  id: string;
  application: string;
  /** The user's id; null once the erasure no longer needs the id. */
  userId: string | null;
  generation: number;
  phase: ErasurePhase;
  /** Where the scan of this phase continues; null at the beginning. */
  position: string | null;
  removed: Partial<Record<ErasureStore, number>>;
  requested: number;
  completed: number | null;
  /** When the next step runs; null if the erasure is finished. */
  due: number | null;
  failures: number;
}

/** A row of the table `erasures`. */
type ErasureRow = JobRow & {
  application: string;
  user_id: string | null;
  generation: number;
  phase: ErasurePhase;
  position: string | null;
  removed: string;
  completed: number | null;
  failures: number;
};

/** What begins an erasure. `now` is in seconds since the epoch. */
export interface ErasureStart extends Pick<ErasureState, "application" | "userId" | "generation"> {
  now: number;
}

/** An erasure that another one needs. */
export type ErasureRequest = Pick<ErasureState, "id" | "application">;

/** The methods of the user's object that an erasure calls. */
export interface ErasureOwner {
  /** The user's pseudonym. */
  pseudonym: string;
  /** Returns the user's name in the training log. */
  logPseudonym(): Promise<string>;
  /**
   * Deletes everything and starts the generation after `generation`, within the caller's transaction. Returns what was
   * deleted.
   */
  startNextGeneration(generation: number): { rows: number; receipts: number };
  /** Returns the users that were merged into this one, or are being merged, in the order of their pseudonyms. */
  mergedUsers(): UserGeneration[];
  /** Erases such a user too. Returns the state of its erasure. */
  eraseMergedUser(user: UserGeneration, state: ErasureRequest): Promise<Erasure>;
  /** Reads the settings of the user's profile again. */
  refreshSettings(application: string, userId: string): Promise<void>;
}

/**
 * The erasures of one user, including finished ones. An erasure is durable, and runs step by step until no store
 * contains the user.
 */
export class Erasures {
  readonly #storage: DurableObjectStorage;
  readonly #env: Pick<UserSessionEnv, "USER" | "DB" | "TRAINING_LOG" | "DEAD_LETTERS">;
  readonly #owner: ErasureOwner;
  readonly #table: JobTable<ErasureRow>;
  readonly #runner: StepRunner<ErasureState>;

  constructor(
    storage: DurableObjectStorage,
    env: Pick<UserSessionEnv, "USER" | "DB" | "TRAINING_LOG" | "DEAD_LETTERS">,
    owner: ErasureOwner,
  ) {
    this.#storage = storage;
    this.#env = env;
    this.#owner = owner;
    this.#table = new JobTable(
      storage.sql,
      "erasures",
      `id TEXT PRIMARY KEY, application TEXT NOT NULL, user_id TEXT, generation INTEGER NOT NULL, phase TEXT NOT NULL,
       position TEXT, removed TEXT NOT NULL, requested REAL NOT NULL, completed REAL, due REAL,
       failures INTEGER NOT NULL`,
    );
    this.#runner = new StepRunner(
      (now) => {
        const row = this.#table.nextDue(now);
        return row && stateOf(row);
      },
      (state, now) => this.#run(state, now),
    );
  }

  #states(where: string, ...values: SqlStorageValue[]): ErasureState[] {
    return this.#table.select(where, ...values).map(stateOf);
  }

  #put({ userId, removed, ...state }: ErasureState): void {
    this.#table.put({ ...state, user_id: userId, removed: JSON.stringify(removed) });
  }

  /**
   * Begins an erasure of `generation`. Returns the erasure that is running already if there is one for this generation.
   */
  begin(id: string, start: ErasureStart): Erasure {
    this.#table.create();
    const [running] = this.#states("generation = ? AND completed IS NULL", start.generation);
    if (running) return erasureOf(running);
    const state = newState(id, start);
    this.#put(state);
    return erasureOf(state);
  }

  /** Records the erasure of a user of whom nothing is stored. It ends no other erasure. */
  recordEmpty(id: string, { application, generation, now }: Omit<ErasureStart, "userId">): Erasure {
    this.#table.create();
    const start = newState(id, { application, userId: null, generation, now });
    const state: ErasureState = { ...start, phase: "finished", completed: now, due: null };
    this.#put(state);
    return erasureOf(state);
  }

  /**
   * Lets the running erasure of a generation, all of which belongs to another user since a merge, erase the next
   * generation, within the transaction that starts that one. Returns the id of the erasure; null if there is none.
   */
  continueInNextGeneration(generation: number, now: number): string | null {
    const [state] = this.#states("generation = ? AND completed IS NULL", generation);
    if (!state) return null;
    const { id, application, userId, requested } = state;
    this.#put({ ...newState(id, { application, userId, generation: generation + 1, now }), requested });
    return id;
  }

  /** Returns whether a generation is being erased. */
  isRunning(generation: number): boolean {
    return this.#states("generation = ? AND completed IS NULL", generation).length > 0;
  }

  /** Returns an erasure of an application; null if there is none with this id. */
  find(application: string, id: string): Erasure | null {
    const [state] = this.#states("id = ? AND application = ?", id, application);
    return state ? erasureOf(state) : null;
  }

  /** Returns when the next step is due, seconds since the epoch; null if no step is left. */
  due(): number | null {
    return this.#table.due();
  }

  /**
   * Runs due steps until `end`, milliseconds since the epoch, or a number of pages. Never throws: a failed step is
   * scheduled again.
   */
  advance(end: number): Promise<void> {
    return this.#runner.advance(end);
  }

  /** Runs a step and stores its result. Returns whether the step was a page of a phase that goes on. */
  async #run(state: ErasureState, now: number): Promise<boolean> {
    try {
      await this.#step(state, now);
      return this.#states("id = ?", state.id)[0]?.phase === state.phase;
    } catch (error) {
      console.error({ event: "erasure failed", phase: state.phase, error: errorText(error) });
      this.#put(afterFailure(state, now, scanRetryDelays));
      return false;
    }
  }

  /** Runs one step. A step runs twice if the object fails before the result is stored. */
  async #step(state: ErasureState, now: number): Promise<void> {
    const { application, generation } = state;
    const { pseudonym } = this.#owner;
    const next: ErasureState = { ...state, failures: 0, due: now, removed: { ...state.removed } };
    const add = (store: ErasureStore, n: number): void => {
      next.removed[store] = (next.removed[store] ?? 0) + n;
    };
    /** Continues the phase at `position`; null continues with the next phase. */
    const continueAt = (position: string | null): void => {
      next.position = position;
      if (position === null) next.phase = phaseAfter(phases, state.phase);
    };
    // Without the user id, dead-letter messages are matched by pseudonym alone.
    const erased = { userId: state.userId ?? pseudonym, pseudonym, generation };
    switch (state.phase) {
      case "merged": {
        const user = this.#owner.mergedUsers().find((each) => each.pseudonym > (state.position ?? ""));
        if (!user) {
          continueAt(null);
          break;
        }
        const erasure = await this.#owner.eraseMergedUser(user, state);
        if (erasure.status === "running") {
          next.due = now + mergedPollSeconds;
          break;
        }
        for (const { store, removed } of erasure.stores) add(store, removed);
        continueAt(user.pseudonym);
        break;
      }
      case "records": {
        const removed = unwrap(
          await this.#env.USER.eraseRecords(application, {
            ...erased,
            logPseudonym: await this.#owner.logPseudonym(),
          }),
          "the user service",
        );
        const counts = await new ExperimentCountsTable(this.#env.DB).eraseUsers(application, [pseudonym]);
        add("records", removed.interactions + removed.locations + removed.profiles + counts);
        if (!removed.more) continueAt(null);
        break;
      }
      case "object":
        return this.#storage.transactionSync(() => {
          const removed = this.#owner.startNextGeneration(generation);
          add("object", removed.rows);
          add("receipts", removed.receipts);
          continueAt(null);
          this.#put(next);
        });
      case "dead_letters":
      case "dead_letters_again": {
        // The user may have created a new profile while the object was being erased.
        if (state.position === null && state.userId !== null)
          await this.#owner.refreshSettings(application, state.userId);
        const step = { application, after: state.position, limit: deadLettersPerStep };
        const removed = await eraseFromDeadLetters(this.#env.DEAD_LETTERS, step, erased);
        add("dead_letters", removed.removed);
        continueAt(removed.next);
        break;
      }
      case "training_log":
      case "training_log_again": {
        const logPseudonym = await this.#owner.logPseudonym();
        const step = { application, pseudonym: logPseudonym, after: state.position, limit: objectsPerStep };
        const removed = await eraseFromLog(this.#env.TRAINING_LOG, step, generation);
        add("training_log", removed.removed);
        continueAt(removed.next);
        break;
      }
      case "refresh_settings":
        if (state.userId !== null) await this.#owner.refreshSettings(application, state.userId);
        continueAt(null);
        Object.assign(next, { userId: null, completed: now, due: now + secondScanDelaySeconds });
        break;
      case "complete":
        continueAt(null);
        break;
      case "finished":
        next.due = null;
        break;
    }
    this.#put(next);
  }
}

/** Returns the state that a row holds. */
const stateOf = ({ user_id, removed, ...row }: ErasureRow): ErasureState => ({
  ...row,
  userId: user_id,
  removed: JSON.parse(removed),
});

/** Returns the state of an erasure that begins. */
const newState = (id: string, { application, userId, generation, now }: ErasureStart): ErasureState => ({
  ...{ id, application, userId, generation, phase: phases[0], position: null, removed: {} },
  ...{ requested: now, completed: null, due: now, failures: 0 },
});

/** Returns an erasure in the form of the API. */
function erasureOf({ id, phase, removed, requested, completed }: ErasureState): Erasure {
  return {
    id,
    status: completed === null ? "running" : "done",
    requestedAt: toInstant(requested),
    completedAt: completed === null ? null : toInstant(completed),
    stores: storeProgress(stores, firstPhaseAfter, phases, phase).map((progress) => ({
      ...progress,
      removed: removed[progress.store] ?? 0,
    })),
  };
}
