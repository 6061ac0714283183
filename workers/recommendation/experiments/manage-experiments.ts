import { freeSlots } from "../../../model/experiments/assignment.ts";
import { metricsOf, resultsOf, type VariantSample } from "../../../model/experiments/experiment-results.ts";
import type { MetricSample } from "../../../model/experiments/user-metric.ts";
import { currencyDigits } from "../../../shared/contracts/currency-digits.ts";
import {
  type Experiment,
  type ExperimentInput,
  type ExperimentResults,
  maxComparedModels,
} from "../../../shared/contracts/experiment.ts";
import { fromInstant, toInstant } from "../../../shared/contracts/primitives.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { ExperimentUsersTable, type VariantSums } from "../../../shared/experiments/experiment-users.ts";
import { bundledModelManifest } from "../models/bundled-model.ts";
import { refreshSnapshot } from "../models/serving-rankers.ts";
import { checkStoredExpressions } from "../serve/request-expressions.ts";
import { RegistryStore } from "../store.ts";
import { refreshExperiments } from "./active-experiments.ts";
import {
  definitionAsStored,
  definitionOf,
  experimentOf,
  modelsOf,
  type StoredDefinition,
  storedDefinition,
} from "./definition.ts";
import { type ExperimentRow, ExperimentStore } from "./experiment-store.ts";
import { pinScenarios } from "./pin-scenarios.ts";
import { StoredSums } from "./stored-sums.ts";

/** Experiments of an application that have not ended, at most: each request computes the user's variant in each. */
const maxActive = 10;
/** Experiments of an application in all. */
const maxStored = 200;

/** Hexadecimal digits of a run besides the name. */
const runDigits = 8;

/** Returns the names of what the variants of an experiment set: parameters, `scenario` and `model`. */
const changesOf = ({ variants }: StoredDefinition): Set<string> =>
  new Set(
    variants.flatMap(({ parameters, scenario, model }) => [
      ...Object.keys(parameters),
      ...(scenario ? ["scenario"] : []),
      ...(model ? ["model"] : []),
    ]),
  );

/** Returns the versions of models that an experiment compares, without the one that is deployed with the code. */
const registeredModels = (definition: StoredDefinition): string[] =>
  modelsOf(definition).filter(
    (version): version is string => version !== null && version !== bundledModelManifest.version,
  );

/** Returns whether a request can take part in both experiments. */
const shareRequests = (a: StoredDefinition, b: StoredDefinition): boolean =>
  a.scenario === undefined || b.scenario === undefined || a.scenario === b.scenario;

/** The experiments of one application: defines them, deletes them, and computes their results. */
export class Experiments {
  readonly #env: RecommendationEnv;
  readonly #store: ExperimentStore;
  readonly #application: string;

  constructor(env: RecommendationEnv, application: string) {
    this.#env = env;
    this.#store = new ExperimentStore(env.DB);
    this.#application = application;
  }

  /** Returns all experiments, by name. `now` is in seconds since the epoch. */
  async list(now: number): Promise<Experiment[]> {
    return (await this.#store.list(this.#application)).map((row) => experimentOf(row, now));
  }

  async get(name: string, now: number): Promise<Result<Experiment>> {
    const row = await this.#store.find(this.#application, name);
    return row ? ok(experimentOf(row, now)) : this.#unknown(name);
  }

  /**
   * Defines an experiment. One that has started keeps its variants and its start; only its end may change, so that its
   * results stay about one thing. Refuses a wrong expression, with its position, and with `conflict` what the
   * experiment or another one does not allow.
   */
  async put(name: string, input: ExperimentInput, now: number): Promise<Result<Experiment>> {
    for (const [i, { parameters }] of input.variants.entries()) {
      const path = `variants[${i}].parameters.`;
      const checked = await checkStoredExpressions(this.#env.PRODUCT, this.#application, parameters, path);
      if (!checked.ok) return checked;
    }
    const present = await this.#store.find(this.#application, name);
    const endsAt = input.endsAt === undefined ? null : fromInstant(input.endsAt);
    if (present && present.startsAt <= now) return this.#changeEnd(present, input, endsAt, now);
    if (endsAt !== null && endsAt <= now)
      return refuse("invalid_input", "`endsAt` must be in the future.", {
        issues: [{ path: "endsAt", message: "must be in the future" }],
      });
    const others = (await this.#store.list(this.#application)).filter((row) => row.name !== name);
    const active = others.filter((row) => row.endsAt === null || row.endsAt > now);
    if (active.length >= maxActive || others.length >= maxStored)
      return refuse(
        "conflict",
        `An application has at most ${maxActive} experiments that have not ended, and ${maxStored} in all; end or delete one.`,
      );
    const variants = await pinScenarios(this.#env.DB, this.#application, input);
    if (!variants.ok) return variants;
    const definition = definitionOf(input, variants.value);
    const refused = await this.#refuseModels(definition, active);
    if (refused) return refused;
    const group = input.group ?? `experiment:${name}`;
    const overlap = this.#overlapOf(definition, group, active);
    if (overlap) return overlap;
    const slots = freeSlots(
      active.filter((row) => row.exclusionGroup === group),
      input.traffic,
    );
    const noSlots = refuse(
      "conflict",
      `The group ${group} has no ${100 * input.traffic}% of the users left; lower \`traffic\`, or end another experiment of the group.`,
    );
    if (!slots) return noSlots;
    const row: ExperimentRow = {
      application: this.#application,
      name,
      run: `${name}:${crypto.randomUUID().slice(0, runDigits)}`,
      definition,
      exclusionGroup: group,
      ...slots,
      startsAt: Math.max(now, input.startsAt === undefined ? now : fromInstant(input.startsAt)),
      endsAt,
      createdAt: now,
    };
    if (!(await this.#store.put(row, present?.run ?? null, registeredModels(definition), now)))
      return refuse(
        "conflict",
        "Another experiment of the group was stored, or a model deleted, meanwhile; send the request again.",
        {
          retryAfter: 1,
        },
      );
    if (modelsOf(definition).length > 0) await refreshSnapshot(this.#env, this.#application);
    await refreshExperiments(this.#env, this.#application);
    return ok(experimentOf(row, now));
  }

  /** Changes the end of an experiment that has started. */
  async #changeEnd(
    row: ExperimentRow,
    input: ExperimentInput,
    endsAt: number | null,
    now: number,
  ): Promise<Result<Experiment>> {
    const stored = storedDefinition.parse(row.definition);
    const isSame =
      JSON.stringify(definitionAsStored(input, stored)) === JSON.stringify(stored) &&
      (input.startsAt === undefined || fromInstant(input.startsAt) <= row.startsAt);
    if (!isSame)
      return refuse(
        "conflict",
        `The experiment ${row.name} has started: only \`endsAt\` may change. Delete it to define it anew, or use another name.`,
      );
    if (row.endsAt !== null && row.endsAt <= now)
      return endsAt === row.endsAt
        ? ok(experimentOf(row, now))
        : refuse("conflict", `The experiment ${row.name} has ended. Delete it to define it anew.`);
    const changed = { ...row, endsAt: endsAt === null ? null : Math.max(now, endsAt) };
    if (!(await this.#store.put(changed, row.run, [], now)))
      return refuse("conflict", "The experiment changed meanwhile; send the request again.", {
        retryAfter: 1,
      });
    await refreshExperiments(this.#env, this.#application);
    return ok(experimentOf(changed, now));
  }

  /**
   * Refuses an experiment that compares unknown models, more than isolates have memory for, or any while a canary compares
   * models too. Null if it is none of them.
   */
  async #refuseModels(definition: StoredDefinition, active: readonly ExperimentRow[]) {
    if (modelsOf(definition).length === 0) return null;
    const registry = new RegistryStore(this.#env.DB);
    const others = active.flatMap((row) => registeredModels(storedDefinition.parse(row.definition)));
    if (new Set([...others, ...registeredModels(definition)]).size > maxComparedModels)
      return refuse(
        "conflict",
        `All experiments of an application compare at most ${maxComparedModels} versions of models together; end another one first.`,
      );
    for (const [i, { model }] of definition.variants.entries()) {
      if (model === undefined || model === bundledModelManifest.version) continue;
      if (await registry.version(this.#application, model)) continue;
      const message = `must be the version of a model; got ${model}`;
      return refuse("invalid_input", `There is no model ${model}. GET /v1/models lists the versions.`, {
        issues: [{ path: `variants.${i}.model`, message }],
      });
    }
    const { candidate } = await registry.servingAndCandidate(this.#application);
    if (candidate?.status !== "canary") return null;
    return refuse(
      "conflict",
      `Model ${candidate.version} is in its canary, which compares models of the same users. Wait until it ends, promote it, or roll it back.`,
    );
  }

  /** Refuses an experiment that sets what another one sets for the same requests. */
  #overlapOf(definition: StoredDefinition, group: string, active: readonly ExperimentRow[]) {
    const own = changesOf(definition);
    for (const row of active) {
      if (row.exclusionGroup === group) continue;
      const other = storedDefinition.parse(row.definition);
      if (!shareRequests(definition, other)) continue;
      const shared = [...changesOf(other)].filter((each) => own.has(each));
      if (shared.length > 0)
        return refuse(
          "conflict",
          `The experiment ${row.name} sets ${shared.map((each) => `\`${each}\``).join(", ")} too. Put both into one \`group\`, so that a user takes part in one of them.`,
        );
    }
    return null;
  }

  /** Deletes an experiment with all its counts. */
  async delete(name: string): Promise<Result<null>> {
    const row = await this.#store.find(this.#application, name);
    if (!row) return this.#unknown(name);
    await this.#store.delete(this.#application, name);
    await new ExperimentUsersTable(this.#env.DB).eraseRun(this.#application, row.run);
    await refreshExperiments(this.#env, this.#application);
    return ok(null);
  }

  /** Returns the results of an experiment at `now`, in seconds since the epoch. */
  async results(name: string, now: number): Promise<Result<ExperimentResults>> {
    const row = await this.#store.find(this.#application, name);
    if (!row) return this.#unknown(name);
    const { goal, currency = null, status, ...settings } = experimentOf(row, now);
    const metrics = metricsOf({ goal, guardrails: settings.guardrails });
    const { variants, crossed, computedAt } = await new StoredSums(this.#env.DB).read(
      this.#application,
      row.run,
      { variants: settings.variants.map(({ name: variant }) => variant), metrics, currency },
      now,
    );
    const samples = settings.variants.map(({ name: variant, share }): VariantSample => {
      const {
        users = 0,
        lists = 0,
        metrics: sums = {},
      }: Partial<VariantSums> = variants.find((each) => each.variant === variant) ?? {};
      const { revenue } = sums;
      return {
        ...{ name: variant, share, users, lists },
        metrics: revenue ? { ...sums, revenue: inUnits(revenue, currency) } : sums,
      };
    });
    return ok({
      ...{ name, run: row.run, status, goal, currency },
      ...resultsOf(samples, { goal, ...settings }),
      crossedUsers: crossed,
      computedAt: toInstant(computedAt),
    });
  }

  #unknown(name: string) {
    return refuse("not_found", `There is no experiment ${name}.`);
  }
}

/** Returns a metric in minor units in units of the currency. */
function inUnits(sample: MetricSample, currency: string | null): MetricSample {
  const unit = 10 ** currencyDigits(currency);
  return {
    ...sample,
    numerator: sample.numerator / unit,
    squares: sample.squares / unit ** 2,
    fourths: sample.fourths / unit ** 4,
  };
}
