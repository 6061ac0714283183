import type { ApplicationsShare } from "../contracts/applications-share.ts";
import type { Evaluation, EvaluationInput } from "../contracts/evaluation.ts";
import type { RecalibrationInput, RecalibrationRecord } from "../contracts/recalibration.ts";
import type { Result } from "../contracts/result.ts";
import type { ReadinessApi, RetentionApi } from "./worker-api.ts";

/** What one call compacted of the training logs of all applications. */
export interface LogsCompaction {
  /** Steps that ran; the next call continues. */
  steps: number;
  batches: number;
  segments: number;
  /** Lines and objects that could not be read, and are removed. */
  damaged: number;
  /** Applications whose log could not be compacted. */
  failed: number;
  /** Whether the call ended because of its bound, so that another call finds more to do. */
  hasMore: boolean;
}

/** RPC interface of the trainer worker: recalibration and evaluation of models from the training log. */
export interface TrainerApi extends ReadinessApi, RetentionApi {
  /** Starts a recalibration; refuses with `conflict` while another one of the application is running. */
  recalibrate(application: string, input: RecalibrationInput): Promise<Result<RecalibrationRecord>>;
  /** Returns the status and figures of a recalibration. */
  getRecalibration(application: string, id: string): Promise<Result<RecalibrationRecord>>;
  /**
   * Starts an off-policy evaluation. Refuses with `not_found` if there is no such model, and with `conflict` while another
   * evaluation of the application is running.
   */
  evaluate(application: string, input: EvaluationInput): Promise<Result<Evaluation>>;
  /** Returns the status and result of an evaluation. */
  getEvaluation(application: string, id: string): Promise<Result<Evaluation>>;
  /** Returns the newest evaluations of an application, at most 50. */
  listEvaluations(application: string): Promise<Result<Evaluation[]>>;
  /**
   * Resumes recalibrations and evaluations that are known to be interrupted, ends records whose instance has ended, and removes artifacts
   * that were left. `onlyProcess` says that all workers run in this one process, so that recalibrations of another process
   * were killed; false if absent. The gateway's cron calls this.
   */
  resumeInterrupted(onlyProcess?: boolean): Promise<Result<{ running: number; resumed: number }>>;
  /** Compacts the training logs, by a bounded number of steps. The gateway's cron calls this each minute. */
  compactLogs(): Promise<Result<LogsCompaction>>;
  /** Starts a recalibration of each application that has a training log. The gateway's nightly cron calls this. */
  recalibrateAll(share: ApplicationsShare): Promise<Result<{ started: number }>>;
}
