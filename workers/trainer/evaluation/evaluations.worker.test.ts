import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ok, refuse } from "../../../shared/contracts/result.ts";
import { retention } from "../../../shared/contracts/retention.ts";
import { removeExpiredLogs } from "../retention.ts";
import { database, migrateDatabase } from "../testing/database.ts";
import { Evaluations } from "./evaluations.ts";
import { EvaluationStore } from "./store.ts";

const { TRAINING_LOG: bucket } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const now = Date.UTC(2026, 0, 20, 12) / 1000;
const records = new EvaluationStore(database, "this process");
const input = { days: 14, diversity: 0.3 };

/** The settings of scenarios, by name. */
const scenarios: Record<string, unknown> = {
  email: { limit: 6, diversity: 0.3, caps: { perCategory: 2 }, boost: { cafe: 2 } },
  nearby: { filter: { radiusKm: 10 }, diversity: 0.2, caps: { perGroup: 1 } },
  plain: {},
};

beforeAll(migrateDatabase);

/** Returns the service, and the calls that its Workflow gets. Instances that exist have a status, by id. */
function serviceWith(statuses: ReadonlyMap<string, string> = new Map()) {
  const calls: string[] = [];
  const bindings = {
    TRAINING_LOG: bucket,
    DB: database,
    RECOMMENDATION: {
      getModel: async (_application: string, version: string) =>
        version === "v1" ? ok({ sha256: "0" }) : refuse("not_found", "There is no such model."),
      getScenario: async (_application: string, name: string) =>
        name in scenarios
          ? ok({ name, settings: scenarios[name] })
          : refuse("not_found", "There is no such scenario."),
    },
    EVALUATION_WORKFLOW: {
      create: async ({ id }: { id: string }) => calls.push(`create ${id}`),
      get: async (id: string) => {
        const status = statuses.get(id);
        if (status === undefined) throw new Error("instance not found");
        return { status: async () => ({ status }) };
      },
    },
  };
  return { service: new Evaluations(bindings as unknown as TrainerEnv, "this process"), calls };
}

describe("Evaluations", () => {
  it("starts one evaluation of an application at a time, and lists the newest first", async () => {
    const { service, calls } = serviceWith();
    expect(await service.start("shop", input, "one", now)).toMatchObject({ ok: true });
    expect(await service.start("shop", input, "two", now)).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
    expect(calls).toEqual(["create shop-one"]);
    await records.update("shop", "one", { status: "refused", reasons: ["lists"] }, now + 1);
    expect(await service.start("shop", { days: 14, model: "v1" }, "two", now + 2)).toMatchObject({
      ok: true,
    });
    const listed = await service.list("shop");
    expect(listed.ok && listed.value.map(({ id }) => id)).toEqual(["two", "one"]);
    expect(await service.get("other", "one")).toMatchObject({ ok: false, error: { code: "not_found" } });
  });

  it("refuses an input without a difference, and an unknown model", async () => {
    const { service } = serviceWith();
    expect(await service.start("inputs", { days: 14 }, "one", now)).toMatchObject({
      error: { code: "invalid_input" },
    });
    expect(await service.start("inputs", { days: 14, model: "v9" }, "one", now)).toMatchObject({
      error: { code: "not_found" },
    });
    expect(await service.list("inputs")).toEqual({ ok: true, value: [] });
  });

  it("evaluates a scenario by its fields, and refuses one that the log cannot answer", async () => {
    const { service } = serviceWith();
    const started = await service.start(
      "scenarios",
      { days: 14, scenario: "email", diversity: 0.1, boost: { park: 3 } },
      "one",
      now,
    );
    expect(started.ok && started.value.input).toEqual({
      ...{ scenario: "email", days: 14, limit: 6, diversity: 0.1 },
      ...{ boost: { cafe: 2, park: 3 }, caps: { perCategory: 2 } },
    });
    const refused = await service.start("refused", { days: 14, scenario: "nearby" }, "one", now);
    expect(!refused.ok && refused.error).toMatchObject({
      code: "invalid_input",
      detail: expect.stringContaining("`filter`, `caps.perGroup`"),
    });
    expect(await service.start("refused", { days: 14, scenario: "plain" }, "one", now)).toMatchObject({
      error: { code: "invalid_input" },
    });
    expect(await service.start("refused", { days: 14, scenario: "other" }, "one", now)).toMatchObject({
      error: { code: "not_found" },
    });
  });

  it("creates a missing instance, ends one that ended silently, and removes its artifacts", async () => {
    const missing = serviceWith();
    await missing.service.start("silent", input, "one", now);
    await missing.service.resumeInterrupted(now + 3600, false);
    expect(missing.calls.filter((call) => call === "create silent-one")).toHaveLength(2);
    await bucket.put("silent/recalibrations/evaluation-one/shard-0.bin", "examples");
    const ended = serviceWith(new Map([["silent-one", "errored"]]));
    await ended.service.resumeInterrupted(now + 7200, false);
    expect(await records.find("silent", "one")).toMatchObject({ status: "failed" });
    expect((await bucket.list({ prefix: "silent/" })).objects).toEqual([]);
  });

  it("removes records that ended long ago", async () => {
    const { service } = serviceWith();
    await service.start("kept", input, "old", now);
    await records.update("kept", "old", { status: "failed" }, now);
    await removeExpiredLogs({ TRAINING_LOG: bucket, DB: database }, retention.parse({}), now + 400 * 86_400);
    expect(await records.find("kept", "old")).toBeNull();
  });
});
