import { ShareCache } from "../../../shared/cache/share-cache.ts";
import { type ScenarioSettings, scenarioSettings } from "../../../shared/contracts/scenario.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { readyMadeScenarios } from "./ready-made.ts";
import { ScenarioStore } from "./scenario-store.ts";

/** Age at which the scenarios of an application are read again after a response, in milliseconds. */
const ttlMs = 5000;
/** Scenarios in isolate memory, in UTF-16 code units of their JSON. */
const maxCachedLength = 8_000_000;

/** The current scenarios of an application, as this isolate last read them. */
interface Snapshot {
  byName: ReadonlyMap<string, ScenarioSettings>;
  length: number;
  /** When the last read started, in milliseconds since the Unix epoch. */
  readAt: number;
}

const snapshots = new ShareCache<Snapshot>({ maxSize: maxCachedLength, sizeOf: ({ length }) => length });
const key = "scenarios";

async function readScenarios(env: RecommendationEnv, application: string): Promise<Snapshot> {
  const readAt = Date.now();
  const rows = await new ScenarioStore(env.DB).current(application);
  const snapshot = {
    byName: new Map(rows.map(({ name, settings }) => [name, scenarioSettings.parse(JSON.parse(settings))])),
    length: 64 + rows.reduce((sum, { settings }) => sum + settings.length, 0),
    readAt,
  };
  const known = snapshots.get(application, key);
  // A slow read must undo nothing of a read that started later.
  if (!known || known.readAt <= readAt) snapshots.set(application, key, snapshot);
  return snapshot;
}

/** Forgets the scenarios of an application, so that this isolate's next request reads them. */
export const forgetScenarios = (application: string): void => snapshots.delete(application, key);

/**
 * Returns the settings of all scenarios that serve an application's requests, ready-made ones too, by name. Only the first
 * request of an isolate waits for the database; later ones read memory, which is refreshed after the answer. Throws if an
 * isolate's first read fails.
 */
export async function currentScenarios(
  env: RecommendationEnv,
  application: string,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<ReadonlyMap<string, ScenarioSettings>> {
  let snapshot = snapshots.get(application, key);
  if (!snapshot) snapshot = await readScenarios(env, application);
  else if (Date.now() - snapshot.readAt > ttlMs) {
    // Other requests must not start a read while this one runs.
    snapshots.set(application, key, { ...snapshot, readAt: Date.now() });
    waitUntil(
      readScenarios(env, application).catch((error: unknown) =>
        console.error({ event: "scenarios not read", error: errorText(error) }),
      ),
    );
  }
  return new Map([...readyMadeScenarios, ...snapshot.byName]);
}
