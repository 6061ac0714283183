import {
  type Evaluation,
  type EvaluationInput,
  evaluationInput,
} from "../../../shared/contracts/evaluation.ts";
import { fromInstant, toInstant } from "../../../shared/contracts/primitives.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { ArtifactStore } from "../artifacts.ts";
import { currentProcess } from "../current-process.ts";
import { instanceIdOf, type Jobs, resumeJobs } from "../jobs/resume-jobs.ts";
import { EvaluationStore } from "./store.ts";

/** Seconds that a client waits before it starts another evaluation after a conflict. */
const retryAfterConflict = 30;
/** Evaluations that a list has, at most. */
const maxListed = 50;

/** Returns the artifacts of an evaluation, which are among those of recalibrations: retention removes both alike. */
export const evaluationArtifacts = (bucket: R2Bucket, application: string, id: string): ArtifactStore =>
  new ArtifactStore(bucket, application, `evaluation-${id}`);

/** Starts, reads and resumes the evaluations of all applications. */
export class Evaluations {
  readonly #env: TrainerEnv;
  readonly #store: EvaluationStore;

  /** `process` is the id of the process that runs this code. */
  constructor(env: TrainerEnv, process: string = currentProcess()) {
    this.#env = env;
    this.#store = new EvaluationStore(env.DB, process);
  }

  /**
   * Starts an evaluation and returns its record. Refuses with `invalid_input` if the input names no difference, or a
   * scenario with fields that the log cannot answer, with `not_found` if there is no such model or scenario, and with
   * `conflict` while another evaluation of the application is active. `now` is in seconds since the Unix epoch.
   */
  async start(
    application: string,
    body: EvaluationInput,
    id: string,
    now: number,
  ): Promise<Result<Evaluation>> {
    const resolved = await this.#withScenario(application, body);
    if (!resolved.ok) return resolved;
    const input = resolved.value;
    const { model, boost, diversity, caps, limit } = input;
    if ([model, boost, diversity, caps?.perCategory, limit].every((each) => each === undefined))
      return refuse(
        "invalid_input",
        "An evaluation needs at least one of `model`, `boost`, `diversity`, `caps.perCategory`, `limit` and `scenario`.",
      );
    if (model !== undefined) {
      const found = await this.#env.RECOMMENDATION.getModel(application, model);
      if (!found.ok) return found;
    }
    const at = toInstant(now);
    const record: Evaluation = {
      ...{ id, status: "queued", step: "queued", progress: 0, startedAt: at, updatedAt: at },
      ...{ input, result: null, reasons: [] },
    };
    if (!(await this.#store.add(application, record)))
      return refuse("conflict", "Another evaluation of this application is running; try again later.", {
        retryAfter: retryAfterConflict,
      });
    await this.#createInstance(application, record);
    return ok(record);
  }

  /** Returns an input with the fields of its scenario where it has none. Refuses fields that the log cannot answer. */
  async #withScenario(application: string, input: EvaluationInput): Promise<Result<EvaluationInput>> {
    const { scenario } = input;
    if (scenario === undefined) return ok(input);
    const found = await this.#env.RECOMMENDATION.getScenario(application, scenario);
    if (!found.ok) return found;
    const {
      boost,
      diversity,
      limit,
      caps: { perCategory, ...otherCaps } = {},
      ...others
    } = found.value.settings;
    const unanswered = [
      ...Object.entries(others),
      ...Object.entries(otherCaps).map(([name, value]) => [`caps.${name}`, value] as const),
    ].filter(([, value]) => value !== undefined);
    if (unanswered.length > 0)
      return refuse(
        "invalid_input",
        `The log cannot tell what these fields of the scenario ${scenario} would do: ${unanswered.map(([name]) => `\`${name}\``).join(", ")}. Try an experiment.`,
        {
          issues: unanswered.map(([name]) => ({
            path: "scenario",
            message: `has \`${name}\`, which the log cannot answer`,
          })),
        },
      );
    const merged = {
      ...{ diversity, limit, ...input },
      boost: boost || input.boost ? { ...boost, ...input.boost } : undefined,
      caps: perCategory === undefined ? input.caps : { perCategory, ...input.caps },
    };
    return ok(evaluationInput.parse(merged));
  }

  async #createInstance(application: string, { id, input, startedAt }: Evaluation): Promise<void> {
    await this.#env.EVALUATION_WORKFLOW.create({
      id: instanceIdOf(application, id),
      params: { application, id, input, startedAt: fromInstant(startedAt) },
    });
  }

  /** Returns the record of an evaluation, or `not_found`. */
  async get(application: string, id: string): Promise<Result<Evaluation>> {
    const record = await this.#store.find(application, id);
    return record ? ok(record) : refuse("not_found", "There is no such evaluation.");
  }

  /** Returns the newest evaluations of an application, at most 50. */
  async list(application: string): Promise<Result<Evaluation[]>> {
    return ok(await this.#store.newest(application, maxListed));
  }

  /** Resumes what was interrupted; see {@link resumeJobs}. */
  resumeInterrupted(now: number, onlyProcess: boolean): Promise<{ running: number; resumed: number }> {
    const jobs: Jobs = {
      name: "evaluation",
      records: this.#store,
      workflow: this.#env.EVALUATION_WORKFLOW,
      create: async (application, id) => {
        const record = await this.#store.find(application, id);
        if (record) await this.#createInstance(application, record);
      },
      clearArtifacts: (application, id) =>
        evaluationArtifacts(this.#env.TRAINING_LOG, application, id).clear(),
    };
    return resumeJobs(jobs, now, onlyProcess);
  }
}
