import { applicationsInShare } from "../../shared/async/applications-share.ts";
import { eachApplication } from "../../shared/async/each-application.ts";
import { type ApplicationsShare, allApplications } from "../../shared/contracts/applications-share.ts";
import { fromInstant } from "../../shared/contracts/primitives.ts";
import type { RecalibrationInput, RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { applicationsIn } from "../../shared/retention/remove-expired.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { ArtifactStore } from "./artifacts.ts";
import { currentProcess } from "./current-process.ts";
import { instanceIdOf, type Jobs, resumeJobs } from "./jobs/resume-jobs.ts";
import { newRecalibrationRecord } from "./recalibrate.ts";
import { RecalibrationStore } from "./store.ts";

/** Ids become part of model versions, artifact keys and Workflow instance ids. */
const idPattern = /^[a-z0-9-]{1,64}$/;

/** Seconds that a client waits before it starts another recalibration after a conflict. */
const retryAfterConflict = 30;

/** Recalibrations that one call starts, each by up to four requests. */
const maxStarted = 200;

/** Starts, reads and resumes the recalibrations of all applications. */
export class Recalibrations {
  readonly #env: TrainerEnv;
  readonly #store: RecalibrationStore;

  /** `process` is the id of the process that runs this code. */
  constructor(env: TrainerEnv, process: string = currentProcess()) {
    this.#env = env;
    this.#store = new RecalibrationStore(env.DB, process);
  }

  #artifacts(application: string, id: string): ArtifactStore {
    return new ArtifactStore(this.#env.TRAINING_LOG, application, id);
  }

  /**
   * Starts a recalibration and returns its record; a repeated `id` returns the existing record. Refuses with `conflict`
   * while another recalibration of the application is active. `now` is in seconds since the Unix epoch.
   */
  async start(
    application: string,
    { seed }: RecalibrationInput,
    id: string,
    now: number,
  ): Promise<Result<RecalibrationRecord>> {
    const record = newRecalibrationRecord(id, now, seed);
    if (await this.#store.add(application, record)) {
      await this.#createInstance(application, record);
      return ok(record);
    }
    const existing = await this.#store.find(application, id);
    if (existing) return ok(existing);
    const active = await this.#store.activeId(application);
    return refuse(
      "conflict",
      `${active === null ? "Another recalibration" : `Recalibration ${active}`} of this application is running; try again later.`,
      { retryAfter: retryAfterConflict },
    );
  }

  async #createInstance(application: string, { id, figures, startedAt }: RecalibrationRecord): Promise<void> {
    await this.#env.RECALIBRATION_WORKFLOW.create({
      id: instanceIdOf(application, id),
      params: { application, id, seed: Number(figures.seed ?? 1), startedAt: fromInstant(startedAt) },
    });
  }

  /** Returns the record of a recalibration, or `not_found`. */
  async get(application: string, id: string): Promise<Result<RecalibrationRecord>> {
    const record = idPattern.test(id)
      ? ((await this.#store.find(application, id)) ??
        (await this.#artifacts(application, id).recordOfVersion02()))
      : null;
    return record ? ok(record) : refuse("not_found", "There is no such recalibration.");
  }

  /** Resumes what was interrupted; see {@link resumeJobs}. */
  resumeInterrupted(now: number, onlyProcess: boolean): Promise<{ running: number; resumed: number }> {
    const jobs: Jobs = {
      name: "recalibration",
      records: this.#store,
      workflow: this.#env.RECALIBRATION_WORKFLOW,
      create: async (application, id) => {
        const record = await this.#store.find(application, id);
        if (record) await this.#createInstance(application, record);
      },
      clearArtifacts: (application, id) => this.#artifacts(application, id).clear(),
    };
    return resumeJobs(jobs, now, onlyProcess);
  }

  /** Starts a recalibration for each application of a share that has a training log. Returns the number started. */
  async startAll(now: number, share: ApplicationsShare = allApplications): Promise<{ started: number }> {
    const day = new Date(now * 1000).toISOString().slice(0, 10);
    let started = 0;
    const names = (await applicationsIn(this.#env.TRAINING_LOG)).filter((name) => /^[a-z0-9-]+$/.test(name));
    const applications = applicationsInShare(names, share, maxStarted, Math.floor(now / daySeconds));
    await eachApplication(applications, "recalibration not started", async (application) => {
      if ((await this.start(application, { seed: 1 }, `night-${day}`, now)).ok) started++;
    });
    return { started };
  }
}
