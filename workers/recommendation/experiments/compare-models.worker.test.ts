import { beforeAll, describe, expect, it } from "vitest";
import { type ExperimentInput, experimentInput } from "../../../shared/contracts/experiment.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { bundledModelManifest } from "../models/bundled-model.ts";
import { ModelRegistry } from "../models/model-registry.ts";
import { pruneModels } from "../models/prune-models.ts";
import { refreshSnapshot } from "../models/serving-rankers.ts";
import { advanceRollout } from "../rollout/advance-rollout.ts";
import { rolloutSettingsOf } from "../settings.ts";
import { RegistryStore } from "../store.ts";
import {
  database,
  environmentWithRollout,
  leavePlaces,
  migrateRegistry,
  registerRandomModel,
} from "../testing/models.ts";
import { recommendForAnn } from "../testing/services.ts";
import { Experiments } from "./manage-experiments.ts";

const rollout = {
  gate: { forced: true },
  shadow: { share: 1, minRequests: 40, minSeconds: 0 },
  canary: { share: 0.4, maxSeconds: 100_000 },
};
const environment = environmentWithRollout(rollout);
const now = (): number => Date.now() / 1000;
const comparing = (...models: (string | undefined)[]): ExperimentInput =>
  experimentInput.parse({
    variants: [{ name: "control" }, ...models.map((model, i) => ({ name: `m${i + 1}`, model }))],
  });
const put = (application: string, name: string, input: ExperimentInput) =>
  new Experiments(environment, application).put(name, input, now());

/** Registers v1, which serves, and v2, which is in shadow. */
async function registerTwo(application: string): Promise<void> {
  await registerRandomModel(environment, application, "v1", 1, now() - 20);
  await registerRandomModel(environment, application, "v2", 2, now() - 10);
}

/** Returns which models and variants 40 users get. */
async function answersOf(application: string, input: object = {}): Promise<string[]> {
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) {
    const request = { userId: `user-${i}`, ...input };
    const { model, variant } = unwrap(
      await recommendForAnn(environment, request, application),
      "the recommendation",
    );
    seen.add(`${model.version} ${variant.replace(/:[0-9a-f]{8}/, "")}`);
  }
  return [...seen].sort();
}

/** Lets the shadow model reach its canary at the next decision. */
async function finishShadow(application: string): Promise<boolean> {
  const sums = { requests: 40, failures: 0, overlap: 20, distance: 4 };
  await new RegistryStore(database).addShadowSums(application, "v2", sums);
  return advanceRollout(database, rolloutSettingsOf(environment), application, now());
}

beforeAll(migrateRegistry);

describe("an experiment that compares models", () => {
  it("ranks by the model of the user's variant, and counts only lists that a model ranks", async () => {
    const application = "ranked";
    await registerTwo(application);
    const bundled = bundledModelManifest.version;
    expect(await put(application, "models", comparing("v2", bundled))).toMatchObject({ ok: true });
    const expected = [`${bundled} models/m2`, "v1 models/control", "v2 models/m1"].sort();
    expect(await answersOf(application)).toEqual(expected);
    await refreshSnapshot(environment, application);
    expect(await answersOf(application)).toEqual(expected);
    expect(await answersOf(application, { rankBy: "popularity" })).toEqual(["popularity default"]);
    unwrap(await new Experiments(environment, application).delete("models"), "experiments");
    // The rollout of v2 goes on, whose shadow has scored often enough.
    expect((await answersOf(application)).join()).not.toContain("models");
  });

  it("counts nobody in an isolate without memory for one of its models", async () => {
    const application = "without-place";
    await leavePlaces(1);
    await registerTwo(application);
    expect(await put(application, "models", comparing("v2"))).toMatchObject({ ok: true });
    expect(await answersOf(application)).toEqual(["v1 default"]);
    const { stages } = unwrap(await recommendForAnn(environment, {}, application), "the recommendation");
    expect(stages.find(({ name }) => name === "model")?.skipped).toContain("lacks one of its models");
  });

  it("keeps its models from being pruned until it ends", async () => {
    const application = "pruned";
    await registerTwo(application);
    const registry = new ModelRegistry(environment, application);
    expect(await registry.rollback("v2", now())).toMatchObject({ ok: true });
    expect(await put(application, "models", comparing("v2"))).toMatchObject({ ok: true });
    await pruneModels(environment, application, 0, now());
    expect((await registry.list()).map(({ version }) => version)).toEqual(["v2", "v1"]);
    await new Experiments(environment, application).delete("models");
    await pruneModels(environment, application, 0, now());
    expect((await registry.list()).map(({ version }) => version)).toEqual(["v1"]);
    expect(await put(application, "models", comparing("v2"))).toMatchObject({
      error: { code: "invalid_input", issues: [{ path: "variants.1.model" }] },
    });
  });

  it("does not run together with a canary: the first of the two goes on", async () => {
    const application = "canary";
    await registerTwo(application);
    expect(await put(application, "models", comparing("v2"))).toMatchObject({ ok: true });
    expect(await finishShadow(application)).toBe(false);
    await new Experiments(environment, application).delete("models");
    expect(await finishShadow(application)).toBe(true);
    expect(await put(application, "models", comparing("v2"))).toMatchObject({
      error: { code: "conflict", detail: expect.stringContaining("v2 is in its canary") },
    });
  });

  it("compares at most four models in all experiments together", async () => {
    const application = "bounded-models";
    for (const version of ["v1", "v2", "v3", "v4", "v5"])
      await registerRandomModel(environment, application, version, 1, now() - 10);
    const scoped = (scenario: string, ...models: string[]) => ({ ...comparing(...models), scenario });
    expect(await put(application, "a", scoped("home", "v1", "v2"))).toMatchObject({ ok: true });
    expect(await put(application, "b", scoped("email", "v3", "v4", "v5"))).toMatchObject({
      error: { code: "conflict", detail: expect.stringContaining("at most 4 versions") },
    });
    expect(await put(application, "b", scoped("email", "v3", "v4"))).toMatchObject({ ok: true });
    expect(await put(application, "c", scoped("home", "v1"))).toMatchObject({
      error: { code: "conflict", detail: expect.stringContaining("sets `model` too") },
    });
  });
});
