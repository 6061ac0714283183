import type { ArtifactStore } from "../artifacts.ts";
import type { RecalibrationSettings } from "../settings.ts";
import type { RecalibrationStore } from "../store.ts";

/** The context that every step of a recalibration receives. */
export interface StepContext {
  env: TrainerEnv;
  application: string;
  id: string;
  seed: number;
  /**
   * Time of the request in seconds since the Unix epoch. Steps use it instead of the current time, so that a repeat is
   * identical.
   */
  startedAt: number;
  settings: RecalibrationSettings;
  artifacts: ArtifactStore;
  records: RecalibrationStore;
  /**
   * Lets other requests run. Callers pause after an amount of work, since the clock of a Worker does not advance while
   * it computes.
   */
  pause(): Promise<void>;
}
