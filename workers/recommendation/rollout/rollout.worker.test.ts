import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ModelStatus } from "../../../shared/contracts/model.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { modelKey } from "../models/model-key.ts";
import { ModelRegistry } from "../models/model-registry.ts";
import { refreshSnapshot } from "../models/serving-rankers.ts";
import { applicationModels } from "../ranker/isolate-models.ts";
import { RegistryStore } from "../store.ts";
import {
  database,
  environmentWithRollout,
  leavePlaces,
  migrateRegistry,
  randomModel,
  registerRandomModel,
} from "../testing/models.ts";
import { recommendForAnn } from "../testing/services.ts";
import { advanceRollouts } from "./advance-rollouts.ts";
import { countOutcomes } from "./count-outcomes.ts";

const rollout = {
  // gate/evaluate-candidate.worker.test.ts tests the gate.
  gate: { forced: true },
  shadow: { share: 1, minRequests: 40, minSeconds: 0 },
  canary: {
    share: 0.3,
    effect: 0.1,
    minUsers: 20,
    minExposures: 100,
    undecidedSeconds: 500,
    maxSeconds: 1000,
  },
};
const environment = environmentWithRollout(rollout);
const now = (): number => Date.now() / 1000;

const statuses = async (application: string): Promise<Record<string, ModelStatus>> =>
  Object.fromEntries(
    (await new ModelRegistry(environment, application).list()).map(({ version, status }) => [
      version,
      status,
    ]),
  );
const answer = async (application: string, userId: string) => {
  const result = unwrap(await recommendForAnn(environment, { userId }, application), "the registry");
  return { version: result.model.version, variant: result.variant };
};
/** Makes v1 serve and v2 the canary. */
async function inCanary(application: string): Promise<ModelRegistry> {
  await registerRandomModel(environment, application, "v1", 1, now() - 20);
  await registerRandomModel(environment, application, "v2", 2, now() - 10);
  await new RegistryStore(database).addShadowSums(application, "v2", {
    requests: 40,
    failures: 0,
    overlap: 20,
    distance: 4,
  });
  await advanceRollouts(environment, now());
  expect(await statuses(application)).toEqual({ v1: "serving", v2: "canary" });
  return new ModelRegistry(environment, application);
}
/** Returns users with ten exposures and the given number of successes each. */
const users = (arm: string, successes: number, count = 100, experiment = "rollout:v2") =>
  Array.from({ length: count }, (_, i) => ({
    userId: `${arm}-${i}`,
    pseudonym: `${arm}${i}`.padStart(64, "0"),
    generation: 0,
    rows: [{ kind: "counts" as const, seq: 1, counts: { experiment, arm, exposures: 10, successes } }],
  }));
/** Runs the cron's step, `after` seconds from now. */
const runCron = (after = 0) => advanceRollouts(environment, now() + after);

beforeAll(migrateRegistry);

describe("a rollout", () => {
  it("promotes the first version at once, and starts the shadow of a later one", async () => {
    expect((await registerRandomModel(environment, "shadowed", "v1", 1, 1)).status).toBe("serving");
    expect((await registerRandomModel(environment, "shadowed", "v2", 2, 2)).status).toBe("shadow");
    for (let i = 0; i < 30; i++)
      expect(await answer("shadowed", `p${i}`)).toEqual({ version: "v1", variant: "default" });
    expect(await statuses("shadowed")).toEqual({ v1: "serving", v2: "shadow" });
  });

  it("starts the shadow of a recalibrated version, even of the first, and even if it is registered twice", async () => {
    const { manifest, bytes } = await randomModel("recal-1", 1);
    const origin = { by: "recalibration r1", gate: { passed: true, forced: false, reasons: [], checks: [] } };
    const registry = new ModelRegistry(environment, "recalibrated");
    for (const at of [1, 2])
      expect(await registry.register(manifest, bytes, at, origin)).toMatchObject({
        ok: true,
        value: { status: "shadow", origin, promotedAt: null },
      });
    expect((await answer("recalibrated", "ann")).version).not.toBe("recal-1");
    const details = await registry.details("recal-1");
    expect(details.ok && details.value.changes.map(({ status, by }) => [status, by])).toEqual([
      ["registered", "recalibration r1"],
      ["shadow", "rollout"],
    ]);
  });

  it("records the differences of the shadow scores and starts the canary after enough requests", async () => {
    const application = "recorded";
    await registerRandomModel(environment, application, "v1", 1, 1);
    await registerRandomModel(environment, application, "v2", 2, 2);
    for (let i = 0; i < 51; i++) await answer(application, "ann");
    const details = unwrap(await new ModelRegistry(environment, application).details("v2"), "the registry");
    const { rollout: record, changes, status } = details;
    expect(status).toBe("canary");
    expect(record?.shadow).toMatchObject({ requests: 51, failures: 0 });
    expect(record?.shadow.overlap).toBeGreaterThanOrEqual(0);
    expect(record?.shadow.overlap).toBeLessThanOrEqual(1);
    expect(record?.shadow.distance).toBeGreaterThan(0);
    expect(changes.map((change) => [change.status, change.by])).toEqual([
      ["registered", "hand"],
      ["shadow", "rollout"],
      ["canary", "rollout"],
    ]);
  });

  it("rolls a version back whose scoring fails, without a canary", async () => {
    const application = "failing";
    await registerRandomModel(environment, application, "v1", 1, 1);
    await registerRandomModel(environment, application, "v2", 2, 2);
    await new RegistryStore(database).addShadowSums(application, "v2", {
      requests: 40,
      failures: 2,
      overlap: 0,
      distance: 0,
    });
    await runCron();
    expect(await statuses(application)).toEqual({ v1: "serving", v2: "rolled_back" });
  });

  it("serves a stable share of users in the canary and names the variant", async () => {
    await inCanary("shared");
    const seen = new Map<string, { version: string; variant: string }>();
    for (const round of [1, 2])
      for (let i = 0; i < 120; i++) {
        const served = await answer("shared", `p${i}`);
        expect(round === 1 ? served : seen.get(`p${i}`)).toEqual(served);
        seen.set(`p${i}`, served);
      }
    const counts: Record<string, number> = {};
    for (const { version, variant } of seen.values()) {
      expect(version).toBe(variant === "rollout:v2/canary" ? "v2" : "v1");
      counts[variant] = (counts[variant] ?? 0) + 1;
    }
    // Shares of .3, .3 and .4 among 120 users: four standard deviations are 20.
    expect(Math.abs(counts["rollout:v2/canary"] - 36)).toBeLessThan(20);
    expect(Math.abs(counts["rollout:v2/control"] - 36)).toBeLessThan(20);
    expect(Math.abs(counts.default - 48)).toBeLessThan(22);
  });

  it("promotes a version with significantly good outcomes and erases its counts", async () => {
    const registry = await inCanary("better");
    await countOutcomes(environment, "better", [...users("canary", 6), ...users("control", 3)]);
    expect(await statuses("better")).toEqual({ v1: "retired", v2: "serving" });
    await refreshSnapshot(environment, "better");
    expect((await answer("better", "anybody")).version).toBe("v2");
    const details = unwrap(await registry.details("v2"), "the registry");
    expect(details.rollout?.canary?.outcomes).toMatchObject({
      verdict: "good",
      canary: { people: 100, exposures: 1000, successes: 600, rate: 0.6 },
      control: { rate: 0.3 },
    });
    expect(details.changes.at(-1)).toMatchObject({ status: "serving", by: "rollout" });
    expect(await new ExperimentCountsTable(database).totals("better", "rollout:v2")).toEqual(new Map());
  });

  it("rolls back a version with significantly worse outcomes", async () => {
    await inCanary("worse");
    await countOutcomes(environment, "worse", [...users("canary", 2), ...users("control", 4)]);
    expect(await statuses("worse")).toEqual({ v1: "serving", v2: "rolled_back" });
    await refreshSnapshot(environment, "worse");
    for (let i = 0; i < 20; i++)
      expect(await answer("worse", `p${i}`)).toEqual({ version: "v1", variant: "default" });
  });

  it("counts repeated, late and reordered rows once", async () => {
    await inCanary("counted");
    const [one] = users("canary", 4, 1);
    const older = { ...one, rows: [{ ...one.rows[0], counts: { ...one.rows[0].counts, exposures: 9 } }] };
    for (const each of [one, older, one, older]) await countOutcomes(environment, "counted", [each]);
    const totals = await new ExperimentCountsTable(database).totals("counted", "rollout:v2");
    expect(totals.get("canary")).toMatchObject({ people: 1, exposures: 10, successes: 4 });
    await countOutcomes(environment, "counted", users("canary", 4, 3, "rollout:other"));
    expect(await new ExperimentCountsTable(database).totals("counted", "rollout:other")).toEqual(new Map());
  });

  it("promotes an undecided version that is at least equal, and rolls others back when the time is over", async () => {
    await inCanary("equal");
    await countOutcomes(environment, "equal", [...users("canary", 5, 60), ...users("control", 5, 60)]);
    await runCron(400);
    expect((await statuses("equal")).v2).toBe("canary");
    await runCron(501);
    expect((await statuses("equal")).v2).toBe("serving");
    await inCanary("without-users");
    await runCron(999);
    expect((await statuses("without-users")).v2).toBe("canary");
    await runCron(1001);
    expect((await statuses("without-users")).v2).toBe("rolled_back");
  });

  it("decides an undecided canary after its maximum duration, as an operator sets", async () => {
    for (const [undecided, status] of [
      ["promote", "serving"],
      ["rollback", "rolled_back"],
    ]) {
      const set = environmentWithRollout({ ...rollout, canary: { ...rollout.canary, undecided } });
      await inCanary(undecided);
      await advanceRollouts(set, now() + 999);
      expect((await statuses(undecided)).v2).toBe("canary");
      await advanceRollouts(set, now() + 1001);
      expect((await statuses(undecided)).v2).toBe(status);
    }
  });

  it("rolls back a version at 0% against 40%, although few users saw it", async () => {
    await inCanary("few-users");
    await countOutcomes(environment, "few-users", [...users("canary", 0, 15), ...users("control", 4, 15)]);
    expect((await statuses("few-users")).v2).toBe("rolled_back");
  });

  it("counts answers that the canary's model did not rank for no arm, and rolls back a canary that ranked few", async () => {
    await inCanary("broken");
    const getRegistered = applicationModels.getRegistered.bind(applicationModels);
    const broken = vi.spyOn(applicationModels, "getRegistered").mockImplementation((...key) => {
      const ranker = getRegistered(...key);
      return ranker?.version === "v2"
        ? { ...ranker, score: () => Promise.reject(new Error("broken")) }
        : ranker;
    });
    const variants = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const { version, variant } = await answer("broken", `p${i}`);
      expect(version).toBe("v1");
      variants.add(variant);
    }
    broken.mockRestore();
    expect([...variants].sort()).toEqual(["default", "rollout:v2/control"]);
    await countOutcomes(environment, "broken", [...users("control", 4), ...users("canary", 4, 40)]);
    await runCron(1001);
    expect(await statuses("broken")).toEqual({ v1: "serving", v2: "rolled_back" });
  });

  it("keeps the promoted version if an older registry read ends later", async () => {
    const application = "slow";
    await registerRandomModel(environment, application, "v1", 1, 1);
    await registerRandomModel(environment, application, "v2", 2, 2);
    // Models of other tenants take the places of v1 and v2, and give their own up.
    applicationModels.assign(application, new Map());
    await leavePlaces(3);
    const blocked = Promise.withResolvers<void>();
    const requested = Promise.withResolvers<void>();
    const get = async (key: string) => {
      requested.resolve();
      await blocked.promise;
      return environment.MODELS.get(key);
    };
    const slow = refreshSnapshot({ ...environment, MODELS: { get } as R2Bucket }, application);
    await requested.promise;
    expect((await new ModelRegistry(environment, application).promote("v2", now())).ok).toBe(true);
    blocked.resolve();
    await slow;
    expect((await answer(application, "ann")).version).toBe("v2");
  });

  it("promotes and rolls back on request, and restores the version that served before", async () => {
    const registry = await inCanary("by-hand");
    expect(await registry.rollback("v2", now())).toMatchObject({
      ok: true,
      value: { status: "rolled_back" },
    });
    expect(await registry.promote("v2", now())).toMatchObject({ ok: true, value: { status: "serving" } });
    expect((await answer("by-hand", "ann")).version).toBe("v2");
    expect(await registry.rollback("v2", now())).toMatchObject({ ok: true, value: { version: "v1" } });
    expect((await answer("by-hand", "ann")).version).toBe("v1");
    expect(await statuses("by-hand")).toEqual({ v1: "serving", v2: "rolled_back" });
    // No registered version is left, so the bundled model serves.
    expect(await registry.rollback("v1", now())).toMatchObject({
      ok: true,
      value: { status: "rolled_back" },
    });
    expect((await answer("by-hand", "ann")).version).not.toMatch(/^v[12]$/);
    expect(await registry.rollback("v1", now())).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(await registry.promote("nothing", now())).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
  });

  it("waits for the present rollout; then starts the newest version and retires older waiting ones", async () => {
    await inCanary("queued");
    expect((await registerRandomModel(environment, "queued", "v3", 3, now() - 5)).status).toBe("registered");
    expect((await registerRandomModel(environment, "queued", "v4", 4, now() - 1)).status).toBe("registered");
    await new ModelRegistry(environment, "queued").rollback("v2", now());
    await runCron();
    expect(await statuses("queued")).toEqual({
      v1: "serving",
      v2: "rolled_back",
      v3: "retired",
      v4: "shadow",
    });
  });

  it("deletes old versions with their files, except those that a rollback needs", async () => {
    const application = "pruned";
    const small = environmentWithRollout({ ...rollout, automatic: false, kept: 1 });
    const registry = new ModelRegistry(small, application);
    const shas = new Map<string, string>();
    for (const [i, version] of ["v1", "v2", "v3", "v4"].entries()) {
      shas.set(version, (await registerRandomModel(small, application, version, i + 1, i + 1)).sha256);
      await registry.promote(version, i + 1);
    }
    for (const version of ["v5", "v6"]) {
      shas.set(
        version,
        (await registerRandomModel(small, application, version, Number(version[1]), 10)).sha256,
      );
    }
    const left = Object.keys(await statuses(application)).sort();
    // v4 serves, v3 served before it; of v1 and v2 the newer is kept.
    expect(left).toEqual(["v2", "v3", "v4", "v5", "v6"]);
    for (const [version, sha256] of shas)
      expect((await small.MODELS.head(modelKey(application, sha256))) !== null, version).toBe(
        left.includes(version),
      );
    expect(await registry.rollback("v4", 20)).toMatchObject({ ok: true, value: { version: "v3" } });
  });

  it("does not start by itself if automatic rollouts are off", async () => {
    const manual = environmentWithRollout({ ...rollout, automatic: false });
    await registerRandomModel(manual, "manual", "v1", 1, 1);
    expect((await registerRandomModel(manual, "manual", "v2", 2, 2)).status).toBe("registered");
    await advanceRollouts(manual, now());
    expect(await statuses("manual")).toEqual({ v1: "serving", v2: "registered" });
  });
});

describe("the registry snapshot of an isolate", () => {
  it("is read again after the response when it is five seconds old", async () => {
    const application = "pointed";
    await registerRandomModel(environment, application, "v1", 1, 1);
    expect((await answer(application, "ann")).version).toBe("v1");
    // Another isolate promotes v2.
    await registerRandomModel(
      environmentWithRollout({ ...rollout, automatic: false }),
      application,
      "v2",
      2,
      2,
    );
    await new RegistryStore(database).changeStatus(application, "v2", ["registered"], "serving", {
      by: "another",
      reason: "test",
      now: now(),
    });
    expect((await answer(application, "ann")).version).toBe("v1");
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime(start + 5500);
      expect((await answer(application, "ann")).version).toBe("v1");
      vi.setSystemTime(start + 5600);
      expect((await answer(application, "ann")).version).toBe("v2");
    } finally {
      vi.useRealTimers();
    }
  });

  it("keeps serving the known version while the registry fails", async () => {
    const application = "deaf";
    await registerRandomModel(environment, application, "v1", 1, 1);
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (const after of [6000, 12_000]) {
        vi.setSystemTime(start + after);
        const result = await recommendForAnn({ ...environment, DB: null }, {}, application);
        expect(result).toMatchObject({ ok: true, value: { model: { version: "v1" } } });
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
