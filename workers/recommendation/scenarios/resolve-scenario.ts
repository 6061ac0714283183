import {
  type CompleteRecommendationInput,
  completeInput,
  type RecommendationInput,
  recommendationInput,
} from "../../../shared/contracts/recommendation.ts";
import { ok, parse, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { ScenarioSettings } from "../../../shared/contracts/scenario.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { currentScenarios } from "./current-scenarios.ts";
import { needsContext } from "./ready-made.ts";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Returns a request with the fields of a scenario where it has none. Objects are merged field by field, so that a request
 * narrows the filter of its scenario. `exclude` is joined: a request adds to it.
 */
export function mergeScenario(settings: ScenarioSettings, input: RecommendationInput): RecommendationInput {
  const merged: Record<string, unknown> = { ...settings };
  for (const [name, stated] of Object.entries(input)) {
    if (stated === undefined) continue;
    const own = merged[name];
    merged[name] = isRecord(own) && isRecord(stated) ? { ...own, ...stated } : stated;
  }
  if (settings.exclude && input.exclude)
    merged.exclude = [...new Set([...settings.exclude, ...input.exclude])];
  return merged as RecommendationInput;
}

/** Returns a refusal of a request's scenario. */
const refuseScenario = (path: string, message: string, detail: string): Result<never> =>
  refuse("invalid_input", detail, { issues: [{ path, message }] });

/**
 * Returns a request with the fields of its scenario and with defaults. `instead` has the fields of the scenario that an
 * experiment serves in its place; null if there is none. Refuses an unknown or removed scenario, one that needs a context
 * that the request does not have, and fields that do not fit together.
 */
export async function resolveScenario(
  env: RecommendationEnv,
  application: string,
  input: RecommendationInput,
  instead: ScenarioSettings | null,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<CompleteRecommendationInput>> {
  const { scenario: name } = input;
  if (name === undefined) return ok(completeInput(input));
  const scenarios = await currentScenarios(env, application, waitUntil).catch((error: unknown) => {
    console.error({ event: "scenarios not read", error: errorText(error) });
    return null;
  });
  if (!scenarios)
    return refuse("unavailable", "The scenario cannot be read now; retry the request, or name none.", {
      retryAfter: 1,
    });
  const settings = scenarios.get(name);
  if (settings === null)
    return refuse(
      "unavailable",
      `The scenario ${name} was stored by another release, and cannot be read by this one; store it again, or name none.`,
    );
  if (!settings)
    return refuseScenario(
      "scenario",
      `must be the name of a scenario; got ${name}`,
      `There is no scenario ${name}. GET /v1/scenarios lists the names.`,
    );
  if (needsContext.has(name) && !input.context)
    return refuseScenario(
      "context",
      `must name products for the scenario ${name}`,
      `The scenario ${name} needs \`context.productIds\`: what the user looks at, or has in the cart.`,
    );
  const merged = parse(recommendationInput, mergeScenario(instead ?? settings, input));
  return merged.ok ? ok(completeInput(merged.value)) : merged;
}
