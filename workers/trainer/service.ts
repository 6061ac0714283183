import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import { type ApplicationsShare, applicationsShare } from "../../shared/contracts/applications-share.ts";
import { type Evaluation, type EvaluationInput, evaluationInput } from "../../shared/contracts/evaluation.ts";
import { applicationName, plainId } from "../../shared/contracts/primitives.ts";
import {
  type RecalibrationInput,
  type RecalibrationRecord,
  recalibrationInput,
} from "../../shared/contracts/recalibration.ts";
import { ok, parse, type Result } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retentionCall } from "../../shared/contracts/retention.ts";
import type { LogsCompaction, TrainerApi } from "../../shared/services/trainer-api.ts";
import type { Readiness } from "../../shared/services/worker-api.ts";
import { compactLogs } from "./compact-logs.ts";
import { currentProcess } from "./current-process.ts";
import { Evaluations } from "./evaluation/evaluations.ts";
import { Recalibrations } from "./recalibrations.ts";
import { removeExpiredLogs } from "./retention.ts";
import { RecalibrationStore } from "./store.ts";

const now = (): number => Date.now() / 1000;

/** Compacts and expires the training log, and runs the recalibrations and evaluations that read it. */
export class TrainerService extends WorkerEntrypoint<TrainerEnv> implements TrainerApi {
  async recalibrate(application: string, input: RecalibrationInput): Promise<Result<RecalibrationRecord>> {
    const parsed = parse(z.object({ application: applicationName, input: recalibrationInput }), {
      application,
      input,
    });
    if (!parsed.ok) return parsed;
    return this.#recalibrations.start(application, parsed.value.input, crypto.randomUUID(), now());
  }

  async getRecalibration(application: string, id: string): Promise<Result<RecalibrationRecord>> {
    const parsed = parse(z.object({ application: applicationName, id: plainId }), { application, id });
    return parsed.ok ? this.#recalibrations.get(application, id) : parsed;
  }

  async resumeInterrupted(onlyProcess = false): Promise<Result<{ running: number; resumed: number }>> {
    const parsed = parse(z.boolean(), onlyProcess);
    if (!parsed.ok) return parsed;
    const recalibrations = await this.#recalibrations.resumeInterrupted(now(), parsed.value);
    const evaluations = await this.#evaluations.resumeInterrupted(now(), parsed.value);
    return ok({
      running: recalibrations.running + evaluations.running,
      resumed: recalibrations.resumed + evaluations.resumed,
    });
  }

  async evaluate(application: string, input: EvaluationInput): Promise<Result<Evaluation>> {
    const parsed = parse(z.object({ application: applicationName, input: evaluationInput }), {
      application,
      input,
    });
    if (!parsed.ok) return parsed;
    return this.#evaluations.start(application, parsed.value.input, crypto.randomUUID(), now());
  }

  async getEvaluation(application: string, id: string): Promise<Result<Evaluation>> {
    const parsed = parse(z.object({ application: applicationName, id: plainId }), { application, id });
    return parsed.ok ? this.#evaluations.get(application, parsed.value.id) : parsed;
  }

  async listEvaluations(application: string): Promise<Result<Evaluation[]>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? this.#evaluations.list(parsed.value) : parsed;
  }

  async recalibrateAll(share: ApplicationsShare): Promise<Result<{ started: number }>> {
    const parsed = parse(applicationsShare, share);
    return parsed.ok ? ok(await this.#recalibrations.startAll(now(), parsed.value)) : parsed;
  }

  async compactLogs(): Promise<Result<LogsCompaction>> {
    return ok(await compactLogs(this.env.TRAINING_LOG));
  }

  get #recalibrations(): Recalibrations {
    return new Recalibrations(this.env);
  }

  get #evaluations(): Evaluations {
    return new Evaluations(this.env);
  }

  async applyRetention(input: Retention, share: ApplicationsShare): Promise<Result<RemovedCounts>> {
    const parsed = parse(retentionCall, { input, share });
    if (!parsed.ok) return parsed;
    return ok(await removeExpiredLogs(this.env, parsed.value.input, now(), parsed.value.share));
  }

  async ready(): Promise<Readiness> {
    try {
      await new RecalibrationStore(this.env.DB, currentProcess()).probe();
      return { ready: true, detail: "ready" };
    } catch {
      return { ready: false, detail: "the trainer database cannot be read: apply migrations/trainer" };
    }
  }
}
