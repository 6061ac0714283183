import * as z from "zod";
import { limitsOfLowering } from "../../../shared/consent/consent-limits.ts";
import { isFiner } from "../../../shared/consent/levels.ts";
import type { Coarsening, CoarseningStore } from "../../../shared/contracts/coarsening.ts";
import { type Precision, toInstant } from "../../../shared/contracts/primitives.ts";
import { coarsenDeadLetterMessages } from "../../../shared/dead-letters/erase-user.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsenInBatches } from "../../../shared/geo/coarsen-point.ts";
import type { UserSettings } from "../../../shared/services/user-api.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { removeFinerExamples } from "../../../shared/training-log/erase-user.ts";
import { type JobRow, JobTable } from "../jobs/job-table.ts";
import { phaseAfter, storeProgress } from "../jobs/phases.ts";
import { afterFailure, scanRetryDelays } from "../jobs/retry-delay.ts";
import { deadLettersPerStep, objectsPerStep, secondScanDelaySeconds } from "../jobs/scan-limits.ts";
import { StepRunner } from "../jobs/step-runner.ts";
import type { CoarsenedPage } from "./coarsen-journal.ts";
import { coarsenHome, coarsenRecords } from "./coarsen-records.ts";

/**
 * The phases of a coarsening, in order. Profile and receipts are coarsened in the transaction that begins it. {@link
 * secondScanDelaySeconds} after `complete`, dead-letter messages and training log are scanned again, for data that a
 * queue consumer wrote during the first scan. Later data is coarsened by the consumer itself.
 */
const phases = [
  "object",
  "records",
  "home",
  "dead_letters",
  "training_log",
  "complete",
  "dead_letters_again",
  "training_log_again",
  "finished",
] as const;
type CoarseningPhase = (typeof phases)[number];

/** The first phase in which a store contains nothing finer. */
const firstPhaseAfter: Record<CoarseningStore, CoarseningPhase> = {
  object: "records",
  receipts: "object",
  records: "dead_letters",
  dead_letters: "training_log",
  training_log: "complete",
};
const stores = Object.keys(firstPhaseAfter) as CoarseningStore[];

/** Maximum number of rows that one step reads. */
const rowsPerStep = 500;
/** Delay before a coarsening looks again whether rows of a merged user still arrive, in seconds. */
const receivingPollSeconds = 5;
/** How long a finished coarsening can be polled, in seconds. */
const keptSeconds = 90 * daySeconds;

/** Position in the training log: the index of the user whose lines are scanned, and the last object that was read. */
const logPosition = z.object({ owner: z.number().int(), at: z.string().nullable() });

/** The stored state of a coarsening. Times are seconds since the epoch. */
type CoarseningState = JobRow & {
  application: string;
  /** The user's id; null once the coarsening no longer needs the id. */
  userId: string | null;
  precision: Precision;
  /** Version of the settings that lowered the consent. */
  version: number;
  phase: CoarseningPhase;
  /** Where the scan of this phase continues; null at the beginning. */
  position: string | null;
  /** Changed rows by store, as JSON. */
  changed: string;
  completed: number | null;
  failures: number;
};

/** The methods of the user's object that a coarsening calls. */
export interface CoarseningOwner {
  pseudonym: string;
  /** Returns the name of a user in the training log. */
  logPseudonym(pseudonym: string): Promise<string>;
  /** Coarsens the next page of the journal. Returns the number of changed rows, and where to continue. */
  coarsenJournal(
    limits: ReturnType<typeof limitsOfLowering>,
    after: string,
    limit: number,
  ): Promise<{ changed: number; next: CoarsenedPage["next"] }>;
  /** Returns whether rows of a merged user may still be inserted into the records of this one. */
  isReceivingRows(): boolean;
  /** Returns the pseudonyms of the users that were merged into this one. */
  mergedPseudonyms(): string[];
  /** Stores newer settings of the user's profile. */
  setSettings(application: string, userId: string, settings: UserSettings): Promise<unknown>;
}

/** What begins a coarsening. */
export interface LoweredConsent {
  application: string;
  userId: string;
  precision: Precision;
  version: number;
  /** Seconds since the epoch. */
  now: number;
  /** Receipts that were removed with the beginning. */
  receipts: number;
}

/**
 * The coarsenings of one user, including finished ones. A coarsening is durable, and runs step by step until no store
 * contains anything finer than the lowered consent allows.
 */
export class Coarsenings {
  readonly #env: Pick<UserSessionEnv, "USER" | "LOCATION" | "TRAINING_LOG" | "DEAD_LETTERS">;
  readonly #owner: CoarseningOwner;
  readonly #table: JobTable<CoarseningState>;
  readonly #runner: StepRunner<CoarseningState>;

  constructor(
    sql: SqlStorage,
    env: Pick<UserSessionEnv, "USER" | "LOCATION" | "TRAINING_LOG" | "DEAD_LETTERS">,
    owner: CoarseningOwner,
  ) {
    this.#env = env;
    this.#owner = owner;
    this.#table = new JobTable(
      sql,
      "coarsenings",
      `id TEXT PRIMARY KEY, application TEXT NOT NULL, userId TEXT, precision TEXT NOT NULL, version INTEGER NOT NULL,
       phase TEXT NOT NULL, position TEXT, changed TEXT NOT NULL, requested REAL NOT NULL, completed REAL, due REAL,
       failures INTEGER NOT NULL`,
    );
    this.#runner = new StepRunner(
      (now) => this.#table.nextDue(now),
      (state, now) => this.#run(state, now),
    );
  }

  /**
   * Begins a coarsening, within the caller's transaction. It replaces those that are not done and whose precision is
   * not coarser: it does their work.
   */
  begin(id: string, { application, userId, precision, version, now, receipts }: LoweredConsent): void {
    this.#table.create();
    this.#table.remove("due IS NULL AND requested < ?", now - keptSeconds);
    for (const running of this.#table.select("due IS NOT NULL"))
      if (!isFiner(precision, running.precision)) this.#table.put({ ...running, userId: null, due: null });
    this.#table.put({
      ...{ id, application, userId, precision, version },
      ...{ phase: phases[0], position: null, changed: JSON.stringify({ receipts }) },
      ...{ requested: now, completed: null, due: now, failures: 0 },
    });
  }

  /** Ends all coarsenings, within the caller's transaction: an erasure removes everything. */
  stop(): void {
    for (const running of this.#table.select("due IS NOT NULL"))
      this.#table.put({ ...running, userId: null, due: null });
  }

  /** Returns a coarsening of an application; null if there is none with this id. */
  find(application: string, id: string): Coarsening | null {
    const [state] = this.#table.select("id = ? AND application = ?", id, application);
    return state ? coarseningOf(state) : null;
  }

  /** Returns whether a coarsening is not done. */
  isRunning(): boolean {
    return this.#table.select("completed IS NULL AND due IS NOT NULL").length > 0;
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
  async #run(state: CoarseningState, now: number): Promise<boolean> {
    try {
      const next = await this.#step(state, now);
      this.#putUnlessEnded(next);
      return next.phase === state.phase;
    } catch (error) {
      console.error({ event: "coarsening failed", phase: state.phase, error: errorText(error) });
      this.#putUnlessEnded(afterFailure(state, now, scanRetryDelays));
      return false;
    }
  }

  /** Stores the state after a step, unless the coarsening was replaced or stopped during the step. */
  #putUnlessEnded(state: CoarseningState): void {
    if (this.#table.select("id = ? AND due IS NOT NULL", state.id).length > 0) this.#table.put(state);
  }

  /** Runs one step and returns the next state. A step runs twice if the object fails before the result is stored. */
  async #step(state: CoarseningState, now: number): Promise<CoarseningState> {
    const { application, position } = state;
    const { pseudonym } = this.#owner;
    const limits = limitsOfLowering(state.userId ?? pseudonym, state.precision, state.version);
    // Everything of a merged user was collected before, under settings of their own.
    const ofMerged = limitsOfLowering(pseudonym, state.precision, Number.MAX_SAFE_INTEGER);
    const owners = [
      { pseudonym, limits },
      ...this.#owner.mergedPseudonyms().map((each) => ({ pseudonym: each, limits: ofMerged })),
    ];
    /** Returns the state that continues the phase at `next`; null continues with the next phase. */
    const after = (store: CoarseningStore, changed: number, next: string | null): CoarseningState => {
      const counts: Partial<Record<CoarseningStore, number>> = JSON.parse(state.changed);
      return {
        ...state,
        ...{ failures: 0, due: now, position: next },
        changed: JSON.stringify({ ...counts, [store]: (counts[store] ?? 0) + changed }),
        phase: next === null ? phaseAfter(phases, state.phase) : state.phase,
      };
    };
    switch (state.phase) {
      case "object": {
        const { changed, next } = await this.#owner.coarsenJournal(limits, position ?? "", rowsPerStep);
        return after("object", changed, next);
      }
      case "records": {
        if (this.#owner.isReceivingRows()) return { ...state, due: now + receivingPollSeconds };
        const { changed, next } = await coarsenRecords(this.#env, application, limits, position, rowsPerStep);
        return after("records", changed, next);
      }
      case "home": {
        const { settings, changed } = await coarsenHome(this.#env, application, limits);
        if (settings) await this.#owner.setSettings(application, limits.userId, settings);
        return after("records", changed, null);
      }
      case "dead_letters":
      case "dead_letters_again": {
        const step = { application, after: position, limit: deadLettersPerStep };
        const { changed, next } = await coarsenDeadLetterMessages(
          this.#env.DEAD_LETTERS,
          step,
          { userId: limits.userId, pseudonym },
          owners,
          coarsenInBatches(this.#env.LOCATION),
        );
        return after("dead_letters", changed, next);
      }
      case "training_log":
      case "training_log_again": {
        // The lines of a merged user stay under their own name.
        const { owner: index, at } = logPosition.parse(JSON.parse(position ?? '{"owner":0,"at":null}'));
        const owner = owners[index];
        if (owner === undefined) return after("training_log", 0, null);
        const name = await this.#owner.logPseudonym(owner.pseudonym);
        const step = { application, pseudonym: name, after: at, limit: objectsPerStep };
        const { removed, next } = await removeFinerExamples(this.#env.TRAINING_LOG, step, owner.limits);
        const following = next === null ? { owner: index + 1, at: null } : { owner: index, at: next };
        return after("training_log", removed, JSON.stringify(following));
      }
      case "complete": {
        const done = after("training_log", 0, null);
        return { ...done, userId: null, completed: now, due: now + secondScanDelaySeconds };
      }
      case "finished":
        return { ...state, due: null };
    }
  }
}

/** Returns a coarsening in the form of the API. */
function coarseningOf({
  id,
  precision,
  phase,
  changed,
  requested,
  completed,
  due,
}: CoarseningState): Coarsening {
  const counts: Partial<Record<CoarseningStore, number>> = JSON.parse(changed);
  return {
    id,
    precision,
    status: completed !== null ? "done" : due === null ? "replaced" : "running",
    requestedAt: toInstant(requested),
    completedAt: completed === null ? null : toInstant(completed),
    stores: storeProgress(stores, firstPhaseAfter, phases, phase).map((progress) => ({
      ...progress,
      changed: counts[progress.store] ?? 0,
    })),
  };
}
