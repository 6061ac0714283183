/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import type { StepRunner } from "./recalibrate.ts";
import { Recalibrations } from "./recalibrations.ts";
import { run, servingWeights } from "./testing/run.ts";

const { TRAINING_LOG: bucket } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const until = Date.UTC(2026, 0, 20, 12) / 1000;
const now = until + 60;
const quick = { epochs: 3, minSteps: 0, evaluationShare: 0.25 };

/** Instances that were asked for; none of them is ever found again, as after a death before its creation was kept. */
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
  return { desk: service, created };
}

const keysOf = async (prefix: string): Promise<string[]> =>
  (await bucket.list({ prefix })).objects.map(({ key }) => key);

/** Id of the recalibration whose turn it is; empty for none. */
const turnOf = async (application: string): Promise<string | undefined> =>
  (await bucket.get(`~active/${application}`))?.text();

describe("the watch over recalibrations", () => {
  it("clears away what a recalibration left that died after its end was told, and a repeated end registers nothing again", async () => {
    const application = "cleared";
    await writeLog(
      bucket,
      application,
      syntheticLog(servingWeights, { examples: 800, users: 120, seed: 3, until, shift: 2 }),
    );
    await bucket.put(`~active/${application}`, "run");
    const results = new Map<string, unknown>();
    let registrations = 0;
    /** Remembers results as a Workflow does; the step `register` dies after its work, before its result is kept. */
    const step: StepRunner = {
      async do<T>(name: string, _config: unknown, work: () => Promise<T>): Promise<T> {
        if (results.has(name)) return structuredClone(results.get(name)) as T;
        const result = await work();
        if (name === "register" && registrations++ === 0) throw new Error("killed");
        results.set(name, structuredClone(result));
        return result;
      },
    };
    await expect(run(bucket, application, now, quick, step)).rejects.toThrow("killed");
    const root = `${application}/recalibrations/`;
    expect((await keysOf(root)).length).toBeGreaterThan(1);

    expect(await serviceOver().desk.watch(now)).toMatchObject({ woken: 0 });
    expect(await keysOf(root)).toEqual([`${root}run/record.json`]);
    expect(await turnOf(application)).toBe("");

    const { record, registered } = await run(bucket, application, now, quick, step);
    expect(record).toMatchObject({ status: "registered", reasons: [] });
    expect(record.version).not.toBeNull();
    expect(registered).toEqual([]);
  });

  it("creates the instance of a recalibration that died before it had one", async () => {
    const application = "unborn";
    const { desk: service, created } = serviceOver();
    await service.begin(application, { seed: 1 }, "one", now);
    expect(created).toEqual([`${application}-one`]);
    expect(await service.watch(now + 10)).toMatchObject({ running: 1, woken: 0 });
    expect(await service.watch(now + 3600)).toMatchObject({ running: 1, woken: 1 });
    expect(created).toEqual([`${application}-one`, `${application}-one`]);
  });
});

describe("beginning a recalibration", () => {
  it("is refused while another is under way, and not once that has ended", async () => {
    const application = "one-at-a-time";
    const { desk: service } = serviceOver();
    const first = await service.begin(application, { seed: 1 }, "first", now);
    expect(first).toMatchObject({ ok: true });
    // The same again is the same one.
    expect(await service.begin(application, { seed: 1 }, "first", now + 1)).toEqual(first);
    expect(await service.begin(application, { seed: 1 }, "second", now)).toMatchObject({ ok: false });
    if (first.ok)
      await bucket.put(
        `${application}/recalibrations/first/record.json`,
        JSON.stringify({ ...first.value, status: "refused", reasons: ["examples"] }),
      );
    expect(await service.begin(application, { seed: 1 }, "second", now)).toMatchObject({ ok: true });
  });

  it("at the same instant begins one of them", async () => {
    const application = "at-once";
    const { desk: service, created } = serviceOver();
    const ids = ["a", "b", "c", "d"];
    const results = await Promise.all(ids.map((id) => service.begin(application, { seed: 1 }, id, now)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(created).toHaveLength(1);
    // Nor do two who follow one that has ended.
    const [first] = created.map((id) => id.split("-").slice(-1)[0]);
    const key = `${application}/recalibrations/${first}/record.json`;
    const record = JSON.parse((await (await bucket.get(key))?.text()) ?? "");
    await bucket.put(key, JSON.stringify({ ...record, status: "refused", reasons: ["examples"] }));
    const next = ["e", "f"].map((id) => service.begin(application, { seed: 1 }, id, now));
    expect((await Promise.all(next)).filter(({ ok }) => ok)).toHaveLength(1);
  });

  it("that died before it had a record gives its turn to another, once it is surely dead", async () => {
    const application = "stillborn";
    await bucket.put(`~active/${application}`, "dead");
    const { desk: service } = serviceOver();
    const today = Date.now() / 1000;
    await service.watch(today);
    expect(await service.begin(application, { seed: 1 }, "other", today)).toMatchObject({ ok: false });
    await service.watch(today + 86_400);
    expect(await service.begin(application, { seed: 1 }, "other", today)).toMatchObject({ ok: true });
  });

  it("by night goes on to the next application where one cannot be begun", async () => {
    for (const application of ["night-a", "night-b"])
      await bucket.put(`${application}/log/v1/2026-01-20/00/some`, "");
    const { desk: service, created } = serviceOver(async ({ id }) => {
      if (id.startsWith("night-a-")) throw new Error("no instance today");
    });
    await service.nightly(now);
    expect(created).toEqual(expect.arrayContaining(["night-a-night-2026-01-20", "night-b-night-2026-01-20"]));
    expect(await turnOf("night-b")).toBe("night-2026-01-20");
  });
});
