import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { z } from "zod";
import { applicationName } from "../../shared/contracts/primitives.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { ArtifactStore } from "./artifacts.ts";
import { Refusal, recalibrate, retries, type StepRunner, tell } from "./recalibrate.ts";
import { settingsOf } from "./settings.ts";
import { type StepContext, yieldThread } from "./steps/step.ts";

const parameters = z.object({
  application: applicationName,
  id: z.string(),
  seed: z.number().int(),
  /** Seconds since the epoch. */
  startedAt: z.number(),
});
export type RecalibrationParameters = z.infer<typeof parameters>;

/**
 * Learns from what happened: snapshot, training from the serving weights, calibration, evaluation, gate, registration.
 * What a step makes lies in R2 under a name of its own, so that a step that is run again makes the same again, and an
 * instance that was interrupted goes on after its last finished step.
 */
export class Recalibration extends WorkflowEntrypoint<TrainerEnv, RecalibrationParameters> {
  override async run(
    event: Readonly<WorkflowEvent<RecalibrationParameters>>,
    step: WorkflowStep,
  ): Promise<void> {
    const asked = parameters.parse(event.payload);
    const bench = new ArtifactStore(this.env.TRAINING_LOG, asked.application, asked.id);
    const context: StepContext = {
      ...asked,
      env: this.env,
      bench,
      settings: settingsOf(this.env),
      pause: yieldThread,
    };
    try {
      await recalibrate(context, step as StepRunner);
    } catch (error) {
      const refusal = error instanceof Refusal ? error.reasons : null;
      await step.do("end", retries, async () => {
        await tell(context, {
          status: refusal ? "refused" : "failed",
          reasons: refusal ?? [errorText(error)],
        });
        await bench.clear();
      });
      return;
    }
    await step.do("clear", retries, () => bench.clear());
  }
}
