import type {
  ExperimentInput,
  ExperimentVariant,
  PinnedScenario,
} from "../../../shared/contracts/experiment.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { scenarioSettings } from "../../../shared/contracts/scenario.ts";
import { needsContext, readyMadeScenarios } from "../scenarios/ready-made.ts";
import { ScenarioStore } from "../scenarios/scenario-store.ts";

/** Returns a scenario as a version has it, the current one if `version` is undefined; null if there is none. */
async function findScenario(
  store: ScenarioStore,
  application: string,
  name: string,
  version: number | undefined,
): Promise<PinnedScenario | null> {
  const rows = await store.versions(application, name);
  const row = rows.find((each) => (version === undefined ? each.isCurrent : each.version === version));
  if (row) return { name, version: row.version, settings: scenarioSettings.parse(JSON.parse(row.settings)) };
  const readyMade = readyMadeScenarios.get(name);
  return version === undefined && readyMade ? { name, version: null, settings: readyMade } : null;
}

/**
 * Returns the variants of an experiment with copies of the scenarios that they name. Refuses with `invalid_input` a
 * scenario or version that does not exist, and one that needs a context which the requests do not have.
 */
export async function pinScenarios(
  database: D1Database,
  application: string,
  input: Pick<ExperimentInput, "scenario" | "variants">,
): Promise<Result<ExperimentVariant[]>> {
  const store = new ScenarioStore(database);
  const wrong = (path: string, message: string) =>
    refuse("invalid_input", `\`${path}\` ${message}.`, { issues: [{ path, message }] });
  if (input.scenario !== undefined && !(await findScenario(store, application, input.scenario, undefined)))
    return wrong("scenario", `must be the name of a scenario; got ${input.scenario}`);
  const variants: ExperimentVariant[] = [];
  for (const [i, { scenario, ...variant }] of input.variants.entries()) {
    if (scenario === undefined) {
      variants.push(variant);
      continue;
    }
    const { name, version } = scenario;
    const path = `variants.${i}.scenario`;
    const pinned = await findScenario(store, application, name, version);
    if (!pinned)
      return wrong(
        path,
        version === undefined
          ? `must be the name of a scenario; got ${name}`
          : `must be a version that is kept; got version ${version} of ${name}`,
      );
    if (needsContext.has(name) && !needsContext.has(input.scenario ?? ""))
      return wrong(
        path,
        `must not need a context, since requests for ${input.scenario} have none; got ${name}`,
      );
    variants.push({ ...variant, scenario: pinned });
  }
  return ok(variants);
}
