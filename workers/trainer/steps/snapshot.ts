import { unwrap } from "../../../shared/contracts/result.ts";
import type { StepContext } from "./step.ts";

/** Stores the serving model, from which the recalibration starts. Returns its version. */
export async function takeSnapshot({
  env,
  application,
  artifacts,
}: StepContext): Promise<{ parent: string }> {
  const serving = unwrap(await env.RECOMMENDATION.servingModel(application), "the recommendation service");
  const { manifest, bytes } = serving;
  await artifacts.putModel("parent", manifest, new Uint8Array(bytes));
  return { parent: manifest.version };
}
