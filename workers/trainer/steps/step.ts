import type { ArtifactStore } from "../artifacts.ts";
import type { Settings } from "../settings.ts";

/** What every step of a recalibration has. */
export interface StepContext {
  env: TrainerEnv;
  application: string;
  id: string;
  seed: number;
  /** When the recalibration was asked for, seconds since the epoch: the clock of all that it makes. */
  startedAt: number;
  settings: Settings;
  bench: ArtifactStore;
  /** Lets others run. Clocks stand still while a Worker computes, so it is called by work done, not by time. */
  pause(): Promise<void>;
}

/** Gives the thread to whoever waits for it. */
export const yieldThread = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
