import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import * as z from "zod";
import { syntheticLog } from "../model/recalibrate/testing/synthetic-log.ts";
import { migrateLocalDatabases } from "../scripts/databases/migrate.ts";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import { freePort } from "../scripts/start/free-port.ts";
import { modelRecord } from "../shared/contracts/model.ts";
import { type RecalibrationRecord, recalibration } from "../shared/contracts/recalibration.ts";
import { writeLog } from "../shared/training-log/testing/write-log.ts";
import { callApi } from "./kill/call-api.ts";
import { LocalStack } from "./kill/local-stack.ts";
import { withLocalBindings } from "./support/with-local-bindings.ts";

/** These runs take minutes. `npm test` interrupts every step in workers/trainer/workflow.worker.test.ts instead. */
const long = process.env.VICINITY_LONG === "1";
const timeoutMs = 1_200_000;
/** Interval between two reads of the status. The shortest steps take a few milliseconds. */
const pollIntervalMs = 2;
/** Interval between two calls of the cron trigger. */
const cronIntervalMs = 1000;

const scratch = mkdtempSync(join(tmpdir(), "vicinity-recalibration-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const models = z.object({ items: z.array(modelRecord) });

/** Creates a state directory that contains a training log and empty databases. */
async function createStateWithLog(stateDir: string): Promise<void> {
  const until = Date.now() / 1000;
  const lines = syntheticLog(bundledWeights(), { examples: 1200, users: 150, seed: 3, until, shift: 2 });
  await migrateLocalDatabases(stateDir);
  await withLocalBindings("trainer", stateDir, ({ TRAINING_LOG }) => writeLog(TRAINING_LOG, "demo", lines));
}

const call = <S extends z.ZodType>(
  { url }: LocalStack,
  schema: S,
  method: string,
  path: string,
  body?: object,
) => callApi(url, schema, method, path, body);

/**
 * Runs a recalibration and kills the stack once at the beginning of each step for which `killsAt` is true. Returns the final
 * record, the hash of the model file, and the steps with a kill.
 */
async function recalibrateWithKills(
  stateDir: string,
  killsAt: (step: string) => boolean,
): Promise<{ record: RecalibrationRecord; sha256: string | undefined; killedSteps: string[] }> {
  const stack = new LocalStack(await freePort(), stateDir);
  const killedSteps: string[] = [];
  await stack.start();
  try {
    const { id } = await call(stack, recalibration, "POST", "/v1/recalibrations", {});
    let nextCron = 0;
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(pollIntervalMs)) {
      const record = await call(stack, recalibration, "GET", `/v1/recalibrations/${id}`);
      if (record.status !== "queued" && record.status !== "running") {
        const { items } = await call(stack, models, "GET", "/v1/models");
        return {
          record,
          sha256: items.find(({ version }) => version === record.version)?.sha256,
          killedSteps,
        };
      }
      if (record.status === "running" && killsAt(record.step) && !killedSteps.includes(record.step)) {
        killedSteps.push(record.step);
        await stack.kill();
        await stack.start();
      }
      // The local runtime does not run cron triggers. The platform runs this one every minute.
      if (killedSteps.length > 0 && Date.now() > nextCron) {
        nextCron = Date.now() + cronIntervalMs;
        await (await fetch(`${stack.url}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`)).body?.cancel();
      }
    }
    throw new Error(
      `the recalibration did not end within ${timeoutMs / 1000} s; kills at ${killedSteps.join(", ")}`,
    );
  } finally {
    await stack.kill();
  }
}

it.runIf(long)(
  "recalibrates to the same model file when the whole stack is killed at each step",
  async () => {
    const states = ["undisturbed", "killed"].map((name) => join(scratch, name));
    await createStateWithLog(states[0]);
    cpSync(states[0], states[1], { recursive: true });
    const undisturbed = await recalibrateWithKills(states[0], () => false);
    expect(undisturbed.record).toMatchObject({ status: "registered", reasons: [] });
    expect(undisturbed.sha256).toBeDefined();
    const killed = await recalibrateWithKills(states[1], () => true);
    console.log(`\nkilled at ${killed.killedSteps.join(", ")}: ${killed.record.status}\n`);
    expect(killed.killedSteps.length).toBeGreaterThanOrEqual(10);
    expect(killed.record).toMatchObject({ status: "registered", reasons: [] });
    expect(killed.sha256).toBe(undisturbed.sha256);
  },
  1_800_000,
);
