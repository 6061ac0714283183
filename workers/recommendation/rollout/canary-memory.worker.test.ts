import { beforeAll, describe, expect, it } from "vitest";
import { unwrap } from "../../../shared/contracts/result.ts";
import { ModelRegistry } from "../models/model-registry.ts";
import { refreshSnapshot } from "../models/serving-rankers.ts";
import { RegistryStore } from "../store.ts";
import {
  database,
  environmentWithRollout,
  leavePlaces,
  migrateRegistry,
  registerRandomModel,
} from "../testing/models.ts";
import { recommendForAnn } from "../testing/services.ts";
import { advanceRollouts } from "./advance-rollouts.ts";

const rollout = {
  gate: { forced: true },
  shadow: { share: 1, minRequests: 40, minSeconds: 0 },
  canary: { share: 0.4, maxSeconds: 100_000 },
};
const now = (): number => Date.now() / 1000;
let filesRead = 0;
const environment = environmentWithRollout(rollout);
const countingEnvironment = {
  ...environment,
  MODELS: {
    head: (key: string) => environment.MODELS.head(key),
    put: (key: string, value: ArrayBuffer) => environment.MODELS.put(key, value),
    get: (key: string) => {
      filesRead++;
      return environment.MODELS.get(key);
    },
  },
} as unknown as RecommendationEnv;

/** Makes v1 serve and v2 the canary. */
async function putInCanary(application: string): Promise<void> {
  await registerRandomModel(environment, application, "v1", 1, now() - 20);
  await registerRandomModel(environment, application, "v2", 2, now() - 10);
  const sums = { requests: 40, failures: 0, overlap: 20, distance: 4 };
  await new RegistryStore(database).addShadowSums(application, "v2", sums);
  await advanceRollouts(environment, now());
}

/** Returns how many of 60 users get each version and variant. */
async function answersOf(application: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 60; i++) {
    const answer = unwrap(
      await recommendForAnn(countingEnvironment, { userId: `user-${i}` }, application),
      "the recommendation",
    );
    const key = `${answer.model.version} ${answer.variant}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

beforeAll(migrateRegistry);

describe("two tenants with a canary each, in an isolate with memory for three of their four models", () => {
  it("load nothing again and again, and outcomes belong to the model that ranked", async () => {
    await leavePlaces(3);
    await putInCanary("one");
    await putInCanary("two");
    filesRead = 0;
    for (let round = 0; round < 3; round++) {
      // The isolate of the first tenant has both models, and takes part in its canary.
      const one = await answersOf("one");
      expect(Object.keys(one).sort()).toEqual([
        "v1 default",
        "v1 rollout:v2/control",
        "v2 rollout:v2/canary",
      ]);
      // It has one of the second tenant, whose users belong to neither arm here.
      expect(await answersOf("two")).toEqual({ "v1 default": 60 });
      for (const application of ["one", "two"]) await refreshSnapshot(countingEnvironment, application);
    }
    expect(filesRead).toBe(0);
    const details = unwrap(await new ModelRegistry(environment, "two").details("v2"), "the registry");
    expect(details).toMatchObject({ status: "canary", rollout: { shadow: { failures: 0 } } });

    // The first canary ends, and the second one begins in this isolate.
    expect(await new ModelRegistry(environment, "one").rollback("v2", now())).toMatchObject({ ok: true });
    await refreshSnapshot(countingEnvironment, "two");
    expect(Object.keys(await answersOf("two")).sort()).toEqual([
      "v1 default",
      "v1 rollout:v2/control",
      "v2 rollout:v2/canary",
    ]);
  });
});
