import { toInstant } from "../../../shared/contracts/primitives.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import {
  maxScenarios,
  type Scenario,
  type ScenarioDetails,
  type ScenarioSettings,
  scenarioSettings,
} from "../../../shared/contracts/scenario.ts";
import { ExperimentStore } from "../experiments/experiment-store.ts";
import { checkStoredExpressions } from "../serve/request-expressions.ts";
import { refreshScenarios } from "./current-scenarios.ts";
import { readyMadeScenarios } from "./ready-made.ts";
import { type ScenarioRow, ScenarioStore } from "./scenario-store.ts";

const versionOf = ({ version, createdAt, settings }: ScenarioRow) => ({
  version,
  createdAt: toInstant(createdAt),
  settings: scenarioSettings.parse(JSON.parse(settings)),
});

const readyMade = (name: string, settings: ScenarioSettings): Scenario => ({
  ...{ name, settings },
  ...{ version: null, createdAt: null },
});

const notFound = (name: string) => refuse("not_found", `There is no scenario ${name}.`);

/** The scenarios of one application. */
export class Scenarios {
  readonly #env: RecommendationEnv;
  readonly #application: string;
  readonly #store: ScenarioStore;

  constructor(env: RecommendationEnv, application: string) {
    this.#env = env;
    this.#application = application;
    this.#store = new ScenarioStore(env.DB);
  }

  /** Returns all scenarios that requests may name, by name. */
  async list(): Promise<Scenario[]> {
    const stored = (await this.#store.current(this.#application)).map(
      (row): Scenario => ({ name: row.name, ...versionOf(row) }),
    );
    const names = new Set(stored.map(({ name }) => name));
    const others = [...readyMadeScenarios].filter(([name]) => !names.has(name));
    return [...stored, ...others.map(([name, settings]) => readyMade(name, settings))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  /** Returns a scenario with its versions. */
  async get(name: string): Promise<Result<ScenarioDetails>> {
    const rows = await this.#store.versions(this.#application, name);
    const current = rows.find(({ isCurrent }) => isCurrent);
    if (current) return ok({ name, ...versionOf(current), versions: rows.map(versionOf) });
    const settings = readyMadeScenarios.get(name);
    return settings ? ok({ ...readyMade(name, settings), versions: [] }) : notFound(name);
  }

  /**
   * Stores settings as a new version, which serves at once. Settings that serve already are no new version. With
   * `validateOnly`, nothing is stored, and the answer has the version that would be. Refuses a wrong expression, with its
   * position, and with `conflict` a scenario beyond {@link maxScenarios}. `now` is in seconds since the epoch.
   */
  async put(
    name: string,
    settings: ScenarioSettings,
    validateOnly: boolean,
    now: number,
  ): Promise<Result<Scenario>> {
    const checked = await checkStoredExpressions(this.#env.PRODUCT, this.#application, settings);
    if (!checked.ok) return checked;
    const rows = await this.#store.versions(this.#application, name);
    const current = rows.find(({ isCurrent }) => isCurrent);
    const json = JSON.stringify(settings);
    if (current?.settings === json) return ok({ name, ...versionOf(current) });
    const full = () =>
      refuse("conflict", `An application has at most ${maxScenarios} scenarios; delete one first.`);
    if (validateOnly) {
      if (rows.length === 0 && (await this.#store.current(this.#application)).length >= maxScenarios)
        return full();
      return ok({ name, settings, version: (rows[0]?.version ?? 0) + 1, createdAt: toInstant(now) });
    }
    const version = await this.#store.add(this.#application, name, json, now);
    if (version === null) return full();
    await refreshScenarios(this.#env, this.#application);
    return ok({ name, settings, version, createdAt: toInstant(now) });
  }

  /**
   * Makes an earlier version serve again: the named one, else the one before the version that serves. Refuses with
   * `conflict` if there is none.
   */
  async rollback(name: string, version: number | undefined): Promise<Result<Scenario>> {
    const rows = await this.#store.versions(this.#application, name);
    const current = rows.find(({ isCurrent }) => isCurrent);
    if (!current) return notFound(name);
    const target = rows.find((row) =>
      version === undefined ? row.version < current.version : row.version === version,
    );
    if (!target || !(await this.#store.makeCurrent(this.#application, name, target.version)))
      return refuse(
        "conflict",
        version === undefined
          ? `Version ${current.version} of the scenario ${name} is the oldest that is kept.`
          : `Version ${version} of the scenario ${name} is not kept; GET /v1/scenarios/${name} lists those that are.`,
      );
    await refreshScenarios(this.#env, this.#application);
    return ok({ name, ...versionOf(target) });
  }

  /**
   * Deletes a scenario with all its versions. A ready-made scenario of the same name serves again. Refuses with `conflict`
   * while an experiment compares what serves requests for the scenario. `now` is in seconds since the epoch.
   */
  async remove(name: string, now: number): Promise<Result<null>> {
    const experiment = await new ExperimentStore(this.#env.DB).ofScenario(this.#application, name, now);
    if (experiment !== null)
      return refuse(
        "conflict",
        `Requests for the scenario ${name} take part in the experiment ${experiment}; end the experiment first.`,
      );
    if (!(await this.#store.remove(this.#application, name))) return notFound(name);
    await refreshScenarios(this.#env, this.#application);
    return ok(null);
  }
}
