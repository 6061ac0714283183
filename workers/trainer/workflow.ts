import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import * as z from "zod";
import { yieldToEventLoop } from "../../shared/async/yield-to-event-loop.ts";
import { applicationName } from "../../shared/contracts/primitives.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { ArtifactStore } from "./artifacts.ts";
import { currentProcess } from "./current-process.ts";
import {
  RecalibrationRefusedError,
  recalibrate,
  type StepRunner,
  stepConfig,
  updateRecord,
} from "./recalibrate.ts";
import { recalibrationSettingsOf } from "./settings.ts";
import type { StepContext } from "./steps/step.ts";
import { RecalibrationStore } from "./store.ts";

const parameters = z.object({
  application: applicationName,
  id: z.string(),
  seed: z.number().int(),
  /** Seconds since the Unix epoch. */
  startedAt: z.number(),
});
export type RecalibrationParameters = z.infer<typeof parameters>;

/**
 * Runs {@link recalibrate} as a Workflow. Each step stores its artifacts in R2 under fixed names, so that a repeated
 * step writes the same artifacts. The platform continues an interrupted instance after its last finished step.
 */
export class Recalibration extends WorkflowEntrypoint<TrainerEnv, RecalibrationParameters> {
  override async run(
    event: Readonly<WorkflowEvent<RecalibrationParameters>>,
    step: WorkflowStep,
  ): Promise<void> {
    const request = parameters.parse(event.payload);
    const artifacts = new ArtifactStore(this.env.TRAINING_LOG, request.application, request.id);
    const context: StepContext = {
      ...request,
      env: this.env,
      artifacts,
      records: new RecalibrationStore(this.env.DB, currentProcess()),
      settings: recalibrationSettingsOf(this.env),
      pause: yieldToEventLoop,
    };
    try {
      await recalibrate(context, step as StepRunner);
    } catch (error) {
      const refusalReasons = error instanceof RecalibrationRefusedError ? error.reasons : null;
      await step.do("end", stepConfig, async () => {
        await updateRecord(context, {
          status: refusalReasons ? "refused" : "failed",
          reasons: refusalReasons ?? [errorText(error)],
        });
        await clearArtifacts(context);
      });
      return;
    }
    await step.do("clear", stepConfig, () => clearArtifacts(context));
  }
}

/** Removes the artifacts of an ended recalibration, and notes that they are removed. */
async function clearArtifacts({ artifacts, records, application, id }: StepContext): Promise<void> {
  await artifacts.clear();
  await records.noteCleared(application, id);
}
