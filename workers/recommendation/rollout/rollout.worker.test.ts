import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ModelStatus } from "../../../shared/contracts/model.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { UserCountsTable } from "../../../shared/experiments/user-counts.ts";
import { modelKey } from "../models/model-key.ts";
import { Registry } from "../models/registry.ts";
import { followPointer } from "../models/serving-model.ts";
import { RegistryStore } from "../store.ts";
import { database, environmentWith, modelOf, openRegistry, registered } from "../testing/models.ts";
import { ask } from "../testing/services.ts";
import { countOutcomes } from "./count.ts";
import { advanceRollouts } from "./settle.ts";

const rollout = {
  // What the gate says is tested in gate/gate.worker.test.ts.
  gate: { forced: true },
  shadow: { share: 1, minRequests: 40, minSeconds: 0 },
  canary: { share: 0.3, effect: 0.1, minPeople: 20, minExposures: 100, maxSeconds: 1000 },
};
const environment = environmentWith(rollout);
const now = (): number => Date.now() / 1000;

const statuses = async (application: string): Promise<Record<string, ModelStatus>> =>
  Object.fromEntries(
    (await new Registry(environment, application).list()).map(({ version, status }) => [version, status]),
  );
const answer = async (application: string, userId: string) => {
  const result = unwrap(await ask(environment, { userId }, application), "the registry");
  return { version: result.model.version, variant: result.variant };
};
/** v1 serves, v2 meets people. */
async function inCanary(application: string): Promise<Registry> {
  await registered(environment, application, "v1", 1, now() - 20);
  await registered(environment, application, "v2", 2, now() - 10);
  await new RegistryStore(database).addShadow(application, "v2", {
    requests: 40,
    failures: 0,
    overlap: 20,
    distance: 4,
  });
  await advanceRollouts(environment, now());
  expect(await statuses(application)).toEqual({ v1: "serving", v2: "canary" });
  return new Registry(environment, application);
}
/** People of ten exposures each, of which so many were successes. */
const users = (arm: string, successes: number, count = 100, experiment = "rollout:v2") =>
  Array.from({ length: count }, (_, i) => ({
    userId: `${arm}-${i}`,
    object: `${arm}${i}`.padStart(64, "0"),
    generation: 0,
    rows: [{ kind: "counts" as const, seq: 1, counts: { experiment, arm, exposures: 10, successes } }],
  }));
/** Looks at the counts as the cron does. */
const settle = (after = 0) => advanceRollouts(environment, now() + after);

beforeAll(openRegistry);

describe("a version on its way into service", () => {
  it("serves at once where it is the first, and is scored beside what serves where it is not", async () => {
    expect((await registered(environment, "shadowed", "v1", 1, 1)).status).toBe("serving");
    expect((await registered(environment, "shadowed", "v2", 2, 2)).status).toBe("shadow");
    for (let i = 0; i < 30; i++)
      expect(await answer("shadowed", `p${i}`)).toEqual({ version: "v1", variant: "default" });
    expect(await statuses("shadowed")).toEqual({ v1: "serving", v2: "shadow" });
  });

  it("goes through the shadow where a recalibration made it, even the first, however often it is registered", async () => {
    const { manifest, bytes } = await modelOf("recal-1", 1);
    const origin = { by: "recalibration r1", gate: { passed: true, forced: false, reasons: [], checks: [] } };
    const registry = new Registry(environment, "recalibrated");
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

  it("has its differences recorded, and meets people once it has been scored often enough", async () => {
    const application = "recorded";
    await registered(environment, application, "v1", 1, 1);
    await registered(environment, application, "v2", 2, 2);
    for (let i = 0; i < 51; i++) await answer(application, "ann");
    const details = unwrap(await new Registry(environment, application).details("v2"), "the registry");
    const { rollout: way, changes, status } = details;
    expect(status).toBe("canary");
    expect(way?.shadow).toMatchObject({ requests: 51, failures: 0 });
    expect(way?.shadow.overlap).toBeGreaterThanOrEqual(0);
    expect(way?.shadow.overlap).toBeLessThanOrEqual(1);
    expect(way?.shadow.distance).toBeGreaterThan(0);
    expect(changes.map((change) => [change.status, change.by])).toEqual([
      ["registered", "hand"],
      ["shadow", "rollout"],
      ["canary", "rollout"],
    ]);
  });

  it("is taken back where scoring fails, and never meets people", async () => {
    const application = "failing";
    await registered(environment, application, "v1", 1, 1);
    await registered(environment, application, "v2", 2, 2);
    await new RegistryStore(database).addShadow(application, "v2", {
      requests: 40,
      failures: 2,
      overlap: 0,
      distance: 0,
    });
    await settle();
    expect(await statuses(application)).toEqual({ v1: "serving", v2: "rolled_back" });
  });

  it("serves its share of the people in the canary, the same ones each time, and says so", async () => {
    await inCanary("shared");
    const seen = new Map<string, { version: string; variant: string }>();
    for (const round of [1, 2])
      for (let i = 0; i < 120; i++) {
        const given = await answer("shared", `p${i}`);
        expect(round === 1 ? given : seen.get(`p${i}`)).toEqual(given);
        seen.set(`p${i}`, given);
      }
    const counts: Record<string, number> = {};
    for (const { version, variant } of seen.values()) {
      expect(version).toBe(variant === "rollout:v2/canary" ? "v2" : "v1");
      counts[variant] = (counts[variant] ?? 0) + 1;
    }
    // Shares of .3, .3 and .4 among 120 people: four standard deviations are 20.
    expect(Math.abs(counts["rollout:v2/canary"] - 36)).toBeLessThan(20);
    expect(Math.abs(counts["rollout:v2/control"] - 36)).toBeLessThan(20);
    expect(Math.abs(counts.default - 48)).toBeLessThan(22);
  });

  it("serves everybody once its outcomes are surely good, and the counts of people leave", async () => {
    const registry = await inCanary("better");
    await countOutcomes(environment, "better", [...users("canary", 6), ...users("control", 3)]);
    expect(await statuses("better")).toEqual({ v1: "retired", v2: "serving" });
    await followPointer(environment, "better");
    expect((await answer("better", "anybody")).version).toBe("v2");
    const details = unwrap(await registry.details("v2"), "the registry");
    expect(details.rollout?.canary?.outcomes).toMatchObject({
      verdict: "good",
      canary: { people: 100, exposures: 1000, successes: 600, rate: 0.6 },
      control: { rate: 0.3 },
    });
    expect(details.changes.at(-1)).toMatchObject({ status: "serving", by: "rollout" });
    expect(await new UserCountsTable(database).totals("better", "rollout:v2")).toEqual(new Map());
  });

  it("is rolled back by itself once its outcomes are surely worse", async () => {
    await inCanary("worse");
    await countOutcomes(environment, "worse", [...users("canary", 2), ...users("control", 4)]);
    expect(await statuses("worse")).toEqual({ v1: "serving", v2: "rolled_back" });
    await followPointer(environment, "worse");
    for (let i = 0; i < 20; i++)
      expect(await answer("worse", `p${i}`)).toEqual({ version: "v1", variant: "default" });
  });

  it("counts what comes twice, or late, or in another order, once", async () => {
    await inCanary("counted");
    const [one] = users("canary", 4, 1);
    const older = { ...one, rows: [{ ...one.rows[0], counts: { ...one.rows[0].counts, exposures: 9 } }] };
    for (const each of [one, older, one, older]) await countOutcomes(environment, "counted", [each]);
    const totals = await new UserCountsTable(database).totals("counted", "rollout:v2");
    expect(totals.get("canary")).toMatchObject({ people: 1, exposures: 10, successes: 4 });
    await countOutcomes(environment, "counted", users("canary", 4, 3, "rollout:other"));
    expect(await new UserCountsTable(database).totals("counted", "rollout:other")).toEqual(new Map());
  });

  it("is decided as configured when its time is over and nothing is sure", async () => {
    await inCanary("undecided");
    await settle(900);
    expect((await statuses("undecided")).v2).toBe("canary");
    await settle(1001);
    expect((await statuses("undecided")).v2).toBe("serving");
    const strict = environmentWith({ ...rollout, canary: { ...rollout.canary, undecided: "rollback" } });
    await inCanary("strict");
    await advanceRollouts(strict, now() + 1001);
    expect(await statuses("strict")).toEqual({ v1: "serving", v2: "rolled_back" });
  });

  it("serves on, though an earlier reading of the registry ends later", async () => {
    const application = "slow";
    await registered(environment, application, "v1", 1, 1);
    await registered(environment, application, "v2", 2, 2);
    // They take the places of both in the isolate's memory.
    for (const seed of [21, 22, 23]) await registered(environment, `${application}-${seed}`, "v1", seed, 1);
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const get = async (key: string) => {
      asked.resolve();
      await held.promise;
      return environment.MODELS.get(key);
    };
    const slow = followPointer({ ...environment, MODELS: { get } as R2Bucket }, application);
    await asked.promise;
    expect((await new Registry(environment, application).promote("v2", now())).ok).toBe(true);
    held.resolve();
    await slow;
    expect((await answer(application, "ann")).version).toBe("v2");
  });

  it("is promoted and rolled back by hand at any point, and what served before serves again", async () => {
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
    // Nothing of its own is left: what is deployed with the code serves.
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

  it("waits while another is on its way; the newest goes next, older ones that wait are overtaken", async () => {
    await inCanary("queued");
    expect((await registered(environment, "queued", "v3", 3, now() - 5)).status).toBe("registered");
    expect((await registered(environment, "queued", "v4", 4, now() - 1)).status).toBe("registered");
    await new Registry(environment, "queued").rollback("v2", now());
    await settle();
    expect(await statuses("queued")).toEqual({
      v1: "serving",
      v2: "rolled_back",
      v3: "retired",
      v4: "shadow",
    });
  });

  it("is forgotten with its file once it is over and newer ones are kept; what a rollback needs stays", async () => {
    const application = "pruned";
    const small = environmentWith({ ...rollout, automatic: false, kept: 1 });
    const registry = new Registry(small, application);
    const shas = new Map<string, string>();
    for (const [i, version] of ["v1", "v2", "v3", "v4"].entries()) {
      shas.set(version, (await registered(small, application, version, i + 1, i + 1)).sha256);
      await registry.promote(version, i + 1);
    }
    for (const version of ["v5", "v6"]) {
      shas.set(version, (await registered(small, application, version, Number(version[1]), 10)).sha256);
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

  it("stays where it is where nothing is to happen by itself", async () => {
    const manual = environmentWith({ ...rollout, automatic: false });
    await registered(manual, "manual", "v1", 1, 1);
    expect((await registered(manual, "manual", "v2", 2, 2)).status).toBe("registered");
    await advanceRollouts(manual, now());
    expect(await statuses("manual")).toEqual({ v1: "serving", v2: "registered" });
  });
});

describe("the pointer of an isolate", () => {
  it("is read again off the response path once it is five seconds old: the next answers follow it", async () => {
    const application = "pointed";
    await registered(environment, application, "v1", 1, 1);
    expect((await answer(application, "ann")).version).toBe("v1");
    // Another isolate lets another version serve.
    await registered(environmentWith({ ...rollout, automatic: false }), application, "v2", 2, 2);
    await new RegistryStore(database).change(application, "v2", ["registered"], "serving", {
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

  it("keeps what it knows while the registry does not answer", async () => {
    const application = "deaf";
    await registered(environment, application, "v1", 1, 1);
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (const after of [6000, 12_000]) {
        vi.setSystemTime(start + after);
        const result = await ask({ ...environment, DB: null }, {}, application);
        expect(result).toMatchObject({ ok: true, value: { model: { version: "v1" } } });
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
