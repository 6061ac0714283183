import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { z } from "zod";
import { yieldToEventLoop } from "../../shared/async/yield-to-event-loop.ts";
import { applicationName } from "../../shared/contracts/primitives.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { ArtifactStore } from "./artifacts.ts";
import {
  RecalibrationRefusedError,
  recalibrate,
  type StepRunner,
  stepConfig,
  updateRecord,
} from "./recalibrate.ts";
import { recalibrationSettingsOf } from "./settings.ts";
import type { StepContext } from "./steps/step.ts";

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
 * step writes the same artifacts. An interrupted instance continues after its last finished step.
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
        await artifacts.clear();
      });
      return;
    }
    await step.do("clear", stepConfig, () => artifacts.clear());
  }
}
