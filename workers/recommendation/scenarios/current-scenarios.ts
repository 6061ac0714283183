import { RefreshedSnapshots } from "../../../shared/cache/refreshed-snapshots.ts";
import { type ScenarioSettings, scenarioSettings } from "../../../shared/contracts/scenario.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { readyMadeScenarios } from "./ready-made.ts";
import { ScenarioStore } from "./scenario-store.ts";

/**
 * The settings of the scenarios that serve an application's requests, ready-made ones too, by name. Null stands for settings
 * that this release cannot read.
 */
export type CurrentScenarios = ReadonlyMap<string, ScenarioSettings | null>;

const snapshots = new RefreshedSnapshots<{ byName: CurrentScenarios; length: number }>({
  failure: "scenarios not read",
  maxAgeMs: 5000,
  // UTF-16 code units of the stored JSON.
  maxSize: 8_000_000,
  sizeOf: ({ length }) => length,
});

/** Returns stored settings; null, which is logged, if another release wrote what this one does not know. */
function readSettings(application: string, name: string, json: string): ScenarioSettings | null {
  const parsed = scenarioSettings.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  console.error({ event: "scenario not readable", application, name, error: errorText(parsed.error) });
  return null;
}

async function readScenarios(env: Pick<RecommendationEnv, "DB">, application: string) {
  const rows = await new ScenarioStore(env.DB).current(application);
  const stored = rows.map(({ name, settings }) => [name, readSettings(application, name, settings)] as const);
  return {
    byName: new Map([...readyMadeScenarios, ...stored]),
    length: 64 + rows.reduce((sum, { settings }) => sum + settings.length, 0),
  };
}

/** Reads the scenarios after a change, so that this isolate's next requests use it. Logs a failure. */
export async function refreshScenarios(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
): Promise<void> {
  await snapshots
    .refresh(application, () => readScenarios(env, application))
    .catch((error: unknown) => console.error({ event: "scenarios not read", error: errorText(error) }));
}

/**
 * Returns the current scenarios, at most some seconds old. Only the first request of an isolate waits for the database.
 * Rejects if that read fails.
 */
export async function currentScenarios(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<CurrentScenarios> {
  const { byName } = await snapshots.get(application, () => readScenarios(env, application), waitUntil);
  return byName;
}
