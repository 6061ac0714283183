import { eachApplication } from "../../shared/async/each-application.ts";
import type { RecalibrationInput, RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { ArtifactStore } from "./artifacts.ts";
import { LeaseStore } from "./lease-store.ts";
import { newRecalibrationRecord } from "./recalibrate.ts";
import { recalibrationSettingsOf } from "./settings.ts";

/** Ids become part of model versions, artifact keys and Workflow instance ids. */
const idPattern = /^[a-z0-9-]{1,64}$/;
const isActive = ({ status }: RecalibrationRecord): boolean => status === "queued" || status === "running";

/** Seconds that a client waits before it starts another recalibration after a conflict. */
const retryAfterConflict = 30;

/** Starts, reads and resumes the recalibrations of all applications. */
export class Recalibrations {
  readonly #env: TrainerEnv;

  constructor(env: TrainerEnv) {
    this.#env = env;
  }

  get #leases(): LeaseStore {
    return new LeaseStore(this.#env.TRAINING_LOG);
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
    const existing = await this.#artifacts(application, id).record();
    if (existing) return ok(existing);
    const holder = await this.#leases.acquire(application, id, async (other) => {
      const record = await this.#artifacts(application, other).record();
      return record !== null && !isActive(record);
    });
    if (holder !== id)
      return refuse(
        "conflict",
        `${holder === null ? "Another recalibration" : `Recalibration ${holder}`} of this application is running; try again later.`,
        { retryAfter: retryAfterConflict },
      );
    const record = newRecalibrationRecord(id, now, seed);
    await this.#artifacts(application, id).putRecord(record);
    await this.#createInstance(application, id, seed, now);
    return ok(record);
  }

  async #createInstance(application: string, id: string, seed: number, startedAt: number): Promise<void> {
    await this.#env.RECALIBRATION_WORKFLOW.create({
      id: `${application}-${id}`,
      params: { application, id, seed, startedAt },
    });
  }

  /** Returns the record of a recalibration, or `not_found`. */
  async get(application: string, id: string): Promise<Result<RecalibrationRecord>> {
    const record = idPattern.test(id) ? await this.#artifacts(application, id).record() : null;
    return record ? ok(record) : refuse("not_found", "There is no such recalibration.");
  }

  /**
   * Resumes recalibrations whose record has not changed for `stalledSeconds`. Removes the artifacts of ended
   * recalibrations, which hold examples of users: an instance may die before it removes them. In a local runtime, an
   * instance whose process was killed stays `running` without progress; after pause and resume, it continues after its
   * last finished step. Returns the number of active and of resumed recalibrations.
   */
  async resumeStalled(now: number): Promise<{ running: number; resumed: number }> {
    const { stalledSeconds } = recalibrationSettingsOf(this.#env);
    let resumed = 0;
    let running = 0;
    const leases = new Map((await this.#leases.list()).map((lease) => [lease.application, lease]));
    await eachApplication(leases.keys(), "recalibration not resumed", async (application) => {
      const lease = leases.get(application);
      if (!lease) return;
      const { id } = lease;
      const record = await this.#artifacts(application, id).record();
      if (record === null ? now - lease.since >= stalledSeconds : !isActive(record)) {
        await this.#artifacts(application, id).clear();
        await this.#leases.release(lease);
        return;
      }
      running++;
      // `start` has acquired the lease and not yet written the record.
      if (record === null) return;
      if (now - Date.parse(record.updatedAt) / 1000 < stalledSeconds) return;
      resumed++;
      await this.#resume(application, id, record);
    });
    return { running, resumed };
  }

  async #resume(application: string, id: string, record: RecalibrationRecord): Promise<void> {
    const startedAt = Date.parse(record.startedAt) / 1000;
    const instance = await this.#env.RECALIBRATION_WORKFLOW.get(`${application}-${id}`).catch(() => null);
    // `start` failed between writing the record and creating the instance.
    if (instance === null)
      return this.#createInstance(application, id, Number(record.figures.seed ?? 1), startedAt);
    const { status } = await instance.status();
    if (status === "errored" || status === "terminated" || status === "complete") {
      await this.#artifacts(application, id).putRecord({
        ...record,
        status: "failed",
        reasons: [`The Workflow instance ended with status \`${status}\`.`],
      });
      return;
    }
    if (status !== "paused") await instance.pause();
    await instance.resume();
  }

  /** Starts a recalibration for each application that has a training log. Returns the number started. */
  async startAll(now: number): Promise<{ started: number }> {
    const day = new Date(now * 1000).toISOString().slice(0, 10);
    let started = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#env.TRAINING_LOG.list({ delimiter: "/", cursor });
      const applications = page.delimitedPrefixes
        .map((prefix) => prefix.slice(0, -1))
        .filter((name) => /^[a-z0-9-]+$/.test(name));
      await eachApplication(applications, "recalibration not started", async (application) => {
        if ((await this.start(application, { seed: 1 }, `night-${day}`, now)).ok) started++;
      });
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return { started };
  }
}
