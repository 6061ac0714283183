import type { RecalibrationInput, RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { ArtifactStore } from "./artifacts.ts";
import { Leases } from "./lease.ts";
import { newRecord } from "./recalibrate.ts";
import { settingsOf } from "./settings.ts";

/** Ids are taken into names of versions and of instances. */
const idForm = /^[a-z0-9-]{1,64}$/;
const isUnderWay = ({ status }: RecalibrationRecord): boolean => status === "queued" || status === "running";

/** Recalibrations as whoever asks for them sees them. */
export class Recalibrations {
  readonly #env: TrainerEnv;

  constructor(env: TrainerEnv) {
    this.#env = env;
  }

  get #turns(): Leases {
    return new Leases(this.#env.TRAINING_LOG);
  }

  #bench(application: string, id: string): ArtifactStore {
    return new ArtifactStore(this.#env.TRAINING_LOG, application, id);
  }

  /** Begins one; `id` again answers the same one. One runs at a time for an application. */
  async begin(
    application: string,
    { seed }: RecalibrationInput,
    id: string,
    now: number,
  ): Promise<Result<RecalibrationRecord>> {
    const known = await this.#bench(application, id).record();
    if (known) return ok(known);
    const holder = await this.#turns.take(application, id, async (other) => {
      const record = await this.#bench(application, other).record();
      return record !== null && !isUnderWay(record);
    });
    if (holder !== id)
      return refuse("conflict", `Recalibration ${holder ?? "of another"} of this application is under way.`, {
        retryAfter: 30,
      });
    const record = newRecord(id, now, seed);
    await this.#bench(application, id).putRecord(record);
    await this.#create(application, id, seed, now);
    return ok(record);
  }

  async #create(application: string, id: string, seed: number, startedAt: number): Promise<void> {
    await this.#env.RECALIBRATION_WORKFLOW.create({
      id: `${application}-${id}`,
      params: { application, id, seed, startedAt },
    });
  }

  async get(application: string, id: string): Promise<Result<RecalibrationRecord>> {
    const record = idForm.test(id) ? await this.#bench(application, id).record() : null;
    return record ? ok(record) : refuse("not_found", "There is no such recalibration.");
  }

  /**
   * Looks after what runs: wakes what has given no sign of life, and clears away what has ended, since it may have died
   * between its end and its own clearing, and what lies there is of people. An instance whose process was killed stays
   * `running` in a local runtime and does nothing; paused and resumed, it goes on after its last step.
   */
  async watch(now: number): Promise<{ running: number; woken: number }> {
    const { stalledSeconds } = settingsOf(this.#env);
    let woken = 0;
    let running = 0;
    for (const turn of await this.#turns.held()) {
      const { application, id } = turn;
      const record = await this.#bench(application, id).record();
      if (record === null ? now - turn.since >= stalledSeconds : !isUnderWay(record)) {
        await this.#bench(application, id).clear();
        await this.#turns.end(turn);
        continue;
      }
      running++;
      // It is just beginning.
      if (record === null) continue;
      if (now - Date.parse(record.updatedAt) / 1000 < stalledSeconds) continue;
      woken++;
      await this.#wake(application, id, record).catch((error: unknown) =>
        console.error({ event: "recalibration not woken", id, error: errorText(error) }),
      );
    }
    return { running, woken };
  }

  async #wake(application: string, id: string, record: RecalibrationRecord): Promise<void> {
    const started = Date.parse(record.startedAt) / 1000;
    const instance = await this.#env.RECALIBRATION_WORKFLOW.get(`${application}-${id}`).catch(() => null);
    // It died between its record and its instance.
    if (instance === null) return this.#create(application, id, Number(record.figures.seed ?? 1), started);
    const { status } = await instance.status();
    if (status === "errored" || status === "terminated" || status === "complete") {
      await this.#bench(application, id).putRecord({
        ...record,
        status: "failed",
        reasons: [`its instance is ${status}`],
      });
      return;
    }
    if (status !== "paused") await instance.pause();
    await instance.resume();
  }

  /** Every night: one for each application that has a training log. */
  async nightly(now: number): Promise<{ begun: number }> {
    const day = new Date(now * 1000).toISOString().slice(0, 10);
    let begun = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#env.TRAINING_LOG.list({ delimiter: "/", cursor });
      for (const prefix of page.delimitedPrefixes) {
        const application = prefix.slice(0, -1);
        if (!/^[a-z0-9-]+$/.test(application)) continue;
        // What is wrong with one application is no reason for the others to learn nothing.
        const result = await this.begin(application, { seed: 1 }, `night-${day}`, now).catch(
          (error: unknown) => {
            console.error({ event: "recalibration not begun", application, error: errorText(error) });
            return null;
          },
        );
        if (result?.ok) begun++;
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return { begun };
  }
}
