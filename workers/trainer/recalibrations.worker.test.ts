/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import type { StepRunner } from "./recalibrate.ts";
import { Recalibrations } from "./recalibrations.ts";
import { runRecalibration, servingWeights } from "./testing/run-recalibration.ts";

const { TRAINING_LOG: bucket } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const until = Date.UTC(2026, 0, 20, 12) / 1000;
const now = until + 60;
const quick = { epochs: 3, minSteps: 0, evaluationShare: 0.25 };

/**
 * Returns the service and the ids of the instances that it created. `get` finds no instance, as if the process died
 * before the Workflow stored it.
 */
function serviceOver(create: (options: { id: string }) => Promise<unknown> = async () => null) {
  const created: string[] = [];
  const service = new Recalibrations({
    TRAINING_LOG: bucket,
    RECALIBRATION_WORKFLOW: {
      create: async (options: { id: string }) => {
        created.push(options.id);
        await create(options);
      },
      get: async () => {
        throw new Error("instance not found");
      },
    },
  } as unknown as TrainerEnv);
  return { service, created };
}

const keysOf = async (prefix: string): Promise<string[]> =>
  (await bucket.list({ prefix })).objects.map(({ key }) => key);

/** Returns the id of the recalibration that holds the lease; "" if none does. */
const leaseHolder = async (application: string): Promise<string | undefined> =>
  (await bucket.get(`~active/${application}`))?.text();

describe("Recalibrations.resumeStalled", () => {
  it("removes the artifacts of a recalibration that died after its last record; a repeated last step registers nothing", async () => {
    const application = "cleared";
    await writeLog(
      bucket,
      application,
      syntheticLog(servingWeights, { examples: 800, users: 120, seed: 3, until, shift: 2 }),
    );
    await bucket.put(`~active/${application}`, "run");
    const results = new Map<string, unknown>();
    let registrations = 0;
    /**
     * Remembers results as a Workflow does; the step `register` fails once after its work, before its result is stored.
     */
    const step: StepRunner = {
      async do<T>(name: string, _config: unknown, work: () => Promise<T>): Promise<T> {
        if (results.has(name)) return structuredClone(results.get(name)) as T;
        const result = await work();
        if (name === "register" && registrations++ === 0) throw new Error("killed");
        results.set(name, structuredClone(result));
        return result;
      },
    };
    await expect(runRecalibration(bucket, application, now, quick, step)).rejects.toThrow("killed");
    const root = `${application}/recalibrations/`;
    expect((await keysOf(root)).length).toBeGreaterThan(1);

    expect(await serviceOver().service.resumeStalled(now)).toMatchObject({ resumed: 0 });
    expect(await keysOf(root)).toEqual([`${root}run/record.json`]);
    expect(await leaseHolder(application)).toBe("");

    const { record, registered } = await runRecalibration(bucket, application, now, quick, step);
    expect(record).toMatchObject({ status: "registered", reasons: [] });
    expect(record.version).not.toBeNull();
    expect(registered).toEqual([]);
  });

  it("creates the instance of a recalibration that died before its instance was created", async () => {
    const application = "no-instance";
    const { service, created } = serviceOver();
    await service.start(application, { seed: 1 }, "one", now);
    expect(created).toEqual([`${application}-one`]);
    expect(await service.resumeStalled(now + 10)).toMatchObject({ running: 1, resumed: 0 });
    expect(await service.resumeStalled(now + 3600)).toMatchObject({ running: 1, resumed: 1 });
    expect(created).toEqual([`${application}-one`, `${application}-one`]);
  });
});

describe("Recalibrations.start", () => {
  it("refuses while another recalibration is active, and starts after it has ended", async () => {
    const application = "one-at-a-time";
    const { service } = serviceOver();
    const first = await service.start(application, { seed: 1 }, "first", now);
    expect(first).toMatchObject({ ok: true });
    // A repeated id returns the same record.
    expect(await service.start(application, { seed: 1 }, "first", now + 1)).toEqual(first);
    expect(await service.start(application, { seed: 1 }, "second", now)).toMatchObject({ ok: false });
    if (first.ok)
      await bucket.put(
        `${application}/recalibrations/first/record.json`,
        JSON.stringify({ ...first.value, status: "refused", reasons: ["examples"] }),
      );
    expect(await service.start(application, { seed: 1 }, "second", now)).toMatchObject({ ok: true });
  });

  it("starts one of several concurrent recalibrations", async () => {
    const application = "concurrent";
    const { service, created } = serviceOver();
    const ids = ["a", "b", "c", "d"];
    const results = await Promise.all(ids.map((id) => service.start(application, { seed: 1 }, id, now)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(created).toHaveLength(1);
    // One of two also starts after the first has ended.
    const [first] = created.map((id) => id.split("-").slice(-1)[0]);
    const key = `${application}/recalibrations/${first}/record.json`;
    const record = JSON.parse((await (await bucket.get(key))?.text()) ?? "");
    await bucket.put(key, JSON.stringify({ ...record, status: "refused", reasons: ["examples"] }));
    const next = ["e", "f"].map((id) => service.start(application, { seed: 1 }, id, now));
    expect((await Promise.all(next)).filter(({ ok }) => ok)).toHaveLength(1);
  });

  it("takes over the lease of a recalibration that died before its first record, after the timeout", async () => {
    const application = "no-record";
    await bucket.put(`~active/${application}`, "dead");
    const { service } = serviceOver();
    const today = Date.now() / 1000;
    await service.resumeStalled(today);
    expect(await service.start(application, { seed: 1 }, "other", today)).toMatchObject({ ok: false });
    await service.resumeStalled(today + 86_400);
    expect(await service.start(application, { seed: 1 }, "other", today)).toMatchObject({ ok: true });
  });
});

describe("Recalibrations.startAll", () => {
  it("continues with the next application if one fails to start", async () => {
    for (const application of ["night-a", "night-b"])
      await bucket.put(`${application}/log/v1/2026-01-20/00/some`, "");
    const { service, created } = serviceOver(async ({ id }) => {
      if (id.startsWith("night-a-")) throw new Error("no instance today");
    });
    await service.startAll(now);
    expect(created).toEqual(expect.arrayContaining(["night-a-night-2026-01-20", "night-b-night-2026-01-20"]));
    expect(await leaseHolder("night-b")).toBe("night-2026-01-20");
  });
});
