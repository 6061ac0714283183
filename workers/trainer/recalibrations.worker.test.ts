/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { retention } from "../../shared/contracts/retention.ts";
import { rateLimitedBucket } from "../../shared/testing/platform/rate-limited-r2.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import { newRecalibrationRecord, type StepRunner } from "./recalibrate.ts";
import { Recalibrations } from "./recalibrations.ts";
import { removeExpiredLogs } from "./retention.ts";
import { RecalibrationStore } from "./store.ts";
import { database, migrateDatabase } from "./testing/database.ts";
import { runRecalibration, servingWeights } from "./testing/run-recalibration.ts";

const { TRAINING_LOG: bucket } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const until = Date.UTC(2026, 0, 20, 12) / 1000;
const now = until + 60;
const quick = { epochs: 3, minSteps: 0, evaluationShare: 0.25 };
/** Longer than any step takes. */
const later = now + 3600;
const records = new RecalibrationStore(database, "this process");

beforeAll(migrateDatabase);

/** Returns a Workflow binding, and the calls that it gets. Instances that exist have a status, by id. */
function workflowOf(statuses: ReadonlyMap<string, string>, failsFor = "~") {
  const calls: string[] = [];
  const workflow = {
    create: async ({ id }: { id: string }) => {
      calls.push(`create ${id}`);
      if (id.startsWith(failsFor)) throw new Error("no instance today");
    },
    get: async (id: string) => {
      const status = statuses.get(id);
      if (status === undefined) throw new Error("instance not found");
      return {
        status: async () => ({ status }),
        pause: async () => calls.push(`pause ${id}`),
        resume: async () => calls.push(`resume ${id}`),
      };
    },
  };
  return { workflow, calls };
}

/** Returns the service in a process, and the calls that its Workflow gets. */
function serviceIn(
  process: string,
  statuses: ReadonlyMap<string, string> = new Map(),
  failsFor?: string,
): { service: Recalibrations; calls: string[] } {
  const { workflow, calls } = workflowOf(statuses, failsFor);
  const bindings = {
    TRAINING_LOG: rateLimitedBucket(bucket),
    DB: database,
    RECALIBRATION_WORKFLOW: workflow,
  };
  return { service: new Recalibrations(bindings as unknown as TrainerEnv, process), calls };
}

const keysOf = async (prefix: string): Promise<string[]> =>
  (await bucket.list({ prefix })).objects.map(({ key }) => key);

/** Ends a recalibration as refused. */
const end = async (application: string, id: string): Promise<void> =>
  records.put(application, {
    ...newRecalibrationRecord(id, now, 1),
    status: "refused",
    reasons: ["examples"],
  });

describe("Recalibrations.resumeInterrupted", () => {
  it("removes the artifacts of a recalibration that died after its last record; a repeated last step registers nothing", async () => {
    const application = "cleared";
    await writeLog(
      bucket,
      application,
      syntheticLog(servingWeights, { examples: 800, users: 120, seed: 3, until, shift: 2 }),
    );
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

    const { service, calls } = serviceIn("this process", new Map([[`${application}-run`, "running"]]));
    await service.resumeInterrupted(Date.now() / 1000 + 3600, false);
    expect(calls).toEqual([]);
    expect(await keysOf(root)).toEqual([]);

    const { record, registered } = await runRecalibration(bucket, application, now, quick, step);
    expect(record).toMatchObject({ status: "registered", reasons: [] });
    expect(record.version).not.toBeNull();
    expect(registered).toEqual([]);
  });

  it("creates the instance of a recalibration that died before its instance was created", async () => {
    const application = "no-instance";
    const { service, calls } = serviceIn("this process");
    await service.start(application, { seed: 1 }, "one", now);
    expect(calls).toEqual([`create ${application}-one`]);
    await service.resumeInterrupted(now + 10, false);
    expect(calls).toHaveLength(1);
    await service.resumeInterrupted(later, false);
    expect(calls).toEqual([`create ${application}-one`, `create ${application}-one`]);
    await end(application, "one");
  });

  it.each(["queued", "running", "waiting", "waitingForPause", "paused", "unknown"])(
    "touches no silent instance that is %s on Cloudflare, and wakes it where its process is known to be dead",
    async (status) => {
      const application = `silent-${status.toLowerCase()}`;
      const id = `${application}-one`;
      const statuses = new Map([[id, status]]);
      await serviceIn("first process").service.start(application, { seed: 1 }, "one", now);
      const onCloudflare = serviceIn("second process", statuses);
      await onCloudflare.service.resumeInterrupted(later, false);
      expect(onCloudflare.calls).toEqual([]);
      expect(await records.activeId(application)).toBe("one");

      const third = serviceIn("third process", statuses);
      await third.service.resumeInterrupted(later, true);
      const woken = [...(status === "paused" ? [] : [`pause ${id}`]), `resume ${id}`];
      expect(third.calls).toEqual(woken);
      // The process that woke it is alive, and a step that takes long is no sign of death.
      await third.service.resumeInterrupted(later + 7200, true);
      expect(third.calls).toEqual(woken);
      await end(application, "one");
    },
  );

  it.each(["errored", "terminated", "complete"])(
    "fails the record of an instance that is %s",
    async (status) => {
      const application = `ended-${status}`;
      const { service } = serviceIn("this process", new Map([[`${application}-one`, status]]));
      await service.start(application, { seed: 1 }, "one", now);
      await bucket.put(`${application}/recalibrations/one/shard-0.bin`, "examples");
      await service.resumeInterrupted(later, false);
      expect(await records.find(application, "one")).toMatchObject({
        status: "failed",
        reasons: [`The Workflow instance ended with status \`${status}\`.`],
      });
      expect(await keysOf(`${application}/recalibrations/`)).toEqual([]);
      expect(await service.start(application, { seed: 1 }, "two", later)).toMatchObject({ ok: true });
      await end(application, "two");
    },
  );

  it("does not fail a record that its instance ended meanwhile", async () => {
    await records.put("meanwhile", { ...newRecalibrationRecord("one", now, 1), status: "registered" });
    await records.fail("meanwhile", "one", "The instance ended.", now);
    expect(await records.find("meanwhile", "one")).toMatchObject({ status: "registered", reasons: [] });
  });
});

describe("Recalibrations.start", () => {
  it("refuses while another recalibration is active, and starts after it has ended", async () => {
    const application = "one-at-a-time";
    const { service } = serviceIn("this process");
    const first = await service.start(application, { seed: 1 }, "first", now);
    expect(first).toMatchObject({ ok: true });
    // A repeated id returns the same record.
    expect(await service.start(application, { seed: 1 }, "first", now + 1)).toEqual(first);
    expect(await service.start(application, { seed: 1 }, "second", now)).toMatchObject({
      ok: false,
      error: { code: "conflict", detail: expect.stringContaining("Recalibration first") },
    });
    await end(application, "first");
    expect(await service.start(application, { seed: 1 }, "second", now)).toMatchObject({ ok: true });
  });

  it("starts one of several concurrent recalibrations", async () => {
    const application = "concurrent";
    const { service, calls } = serviceIn("this process");
    const ids = ["a", "b", "c", "d"];
    const results = await Promise.all(ids.map((id) => service.start(application, { seed: 1 }, id, now)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(calls).toHaveLength(1);
    // One of two also starts after the first has ended.
    await end(application, (await records.activeId(application)) ?? "");
    const next = ["e", "f"].map((id) => service.start(application, { seed: 1 }, id, now));
    expect((await Promise.all(next)).filter(({ ok }) => ok)).toHaveLength(1);
  });
});

describe("Recalibrations.startAll", () => {
  it("continues with the next application if one fails to start", async () => {
    for (const application of ["night-a", "night-b"])
      await bucket.put(`${application}/log/v1/2026-01-20/00/some`, "");
    const { service, calls } = serviceIn("this process", new Map(), "night-a-");
    await service.startAll(now);
    expect(calls).toEqual(
      expect.arrayContaining(["create night-a-night-2026-01-20", "create night-b-night-2026-01-20"]),
    );
    expect(await records.activeId("night-b")).toBe("night-2026-01-20");
  });
});

describe("records of version 0.2", () => {
  it("are read from R2, and their leases are removed by retention", async () => {
    const { service } = serviceIn("this process");
    const record = { ...newRecalibrationRecord("old", now, 1), status: "registered" as const, version: "v2" };
    await bucket.put("earlier/recalibrations/old/record.json", JSON.stringify(record));
    await bucket.put("~active/earlier", "old");
    expect(await service.get("earlier", "old")).toEqual({ ok: true, value: record });
    const bindings = { TRAINING_LOG: bucket, DB: database };
    await removeExpiredLogs(bindings, retention.parse({}), Date.now() / 1000);
    expect(await keysOf("~active/")).toEqual([]);
    expect(await service.get("earlier", "old")).toEqual({ ok: true, value: record });
  });
});

describe("removeExpiredLogs", () => {
  it("removes records of recalibrations that ended long ago", async () => {
    const day = 86_400;
    await records.put("kept", { ...newRecalibrationRecord("old", now, 1), status: "refused" });
    await records.put("kept", { ...newRecalibrationRecord("new", now + 300 * day, 1), status: "refused" });
    const bindings = { TRAINING_LOG: bucket, DB: database };
    const removed = await removeExpiredLogs(bindings, retention.parse({}), now + 400 * day);
    expect(removed.recalibrations).toBeGreaterThan(0);
    expect(await records.find("kept", "old")).toBeNull();
    expect(await records.find("kept", "new")).toMatchObject({ id: "new" });
  });
});
