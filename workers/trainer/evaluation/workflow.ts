import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import * as z from "zod";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import { evaluationInput } from "../../../shared/contracts/evaluation.ts";
import { applicationName } from "../../../shared/contracts/primitives.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { currentProcess } from "../current-process.ts";
import { type StepRunner, stepConfig } from "../recalibrate.ts";
import { recalibrationSettingsOf } from "../settings.ts";
import { evaluatePolicy } from "./evaluate-policy.ts";
import { evaluationArtifacts } from "./evaluations.ts";
import { EvaluationStore } from "./store.ts";

const parameters = z.object({
  application: applicationName,
  id: z.string(),
  input: evaluationInput,
  /** Seconds since the Unix epoch. */
  startedAt: z.number(),
});
export type EvaluationParameters = z.infer<typeof parameters>;

/** Runs {@link evaluatePolicy} as a Workflow. The platform continues an interrupted instance after its last finished step. */
export class Evaluation extends WorkflowEntrypoint<TrainerEnv, EvaluationParameters> {
  override async run(
    event: Readonly<WorkflowEvent<EvaluationParameters>>,
    step: WorkflowStep,
  ): Promise<void> {
    const { application, id, input, startedAt } = parameters.parse(event.payload);
    const artifacts = evaluationArtifacts(this.env.TRAINING_LOG, application, id);
    const records = new EvaluationStore(this.env.DB, currentProcess());
    try {
      const modelSha256 = await step.do("model", stepConfig, async () =>
        input.model === undefined
          ? null
          : unwrap(
              await this.env.RECOMMENDATION.getModel(application, input.model),
              "the recommendation service",
            ).sha256,
      );
      await evaluatePolicy(
        {
          ...{ env: this.env, application, id, startedAt, input, modelSha256, artifacts, records },
          settings: recalibrationSettingsOf(this.env),
          pause: yieldToEventLoop,
        },
        step as StepRunner,
      );
    } catch (error) {
      await step.do("end", stepConfig, () =>
        records.update(application, id, { status: "failed", reasons: [errorText(error)] }, Date.now() / 1000),
      );
    }
    await step.do("clear", stepConfig, async () => {
      await artifacts.clear();
      await records.noteCleared(application, id);
    });
  }
}
