import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { featureShape } from "../model/features/compute-features.ts";
import { readParameters } from "../model/onnx/read-parameters.ts";
import { syntheticLog } from "../model/recalibrate/testing/synthetic-log.ts";
import { migrateLocalDatabases } from "../scripts/databases/migrate.ts";
import { developmentKey } from "../scripts/start/serve.ts";
import { modelRecord } from "../shared/contracts/model.ts";
import { type RecalibrationRecord, recalibration } from "../shared/contracts/recalibration.ts";
import { writeLog } from "../shared/training-log/testing/write-log.ts";
import { freePort } from "./free-port.ts";
import { DevServer } from "./kill/dev-server.ts";
import { withLocalBindings } from "./with-local-bindings.ts";

/** Whole runs with kills take minutes; `npm test` interrupts every step in workers/trainer/workflow.worker.test.ts. */
const long = process.env.VICINITY_LONG === "1";
const timeoutMs = 1_200_000;
/** Between two looks at where it is, of which the shortest steps take a few; and between two calls of the cron. */
const pollIntervalMs = 2;
const cronIntervalMs = 1000;

const scratch = mkdtempSync(join(tmpdir(), "vicinity-recalibration-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const file = readFileSync(join(import.meta.dirname, "../model/artifacts/bundled.onnx"));
const models = z.object({ items: z.array(modelRecord) });

/** A state with a training log, and nothing else. */
async function createStateWithLog(stateDir: string): Promise<void> {
  const weights = readParameters(featureShape, new Uint8Array(file));
  if (weights === null) throw new Error("the bundled model is of another network");
  const until = Date.now() / 1000;
  const lines = syntheticLog(weights, { examples: 1200, users: 150, seed: 3, until, shift: 2 });
  await migrateLocalDatabases(stateDir);
  await withLocalBindings("trainer", stateDir, ({ TRAINING_LOG }) => writeLog(TRAINING_LOG, "demo", lines));
}

async function call<S extends z.ZodType>(
  { url }: DevServer,
  schema: S,
  method: string,
  path: string,
  body?: object,
): Promise<z.infer<S>> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return schema.parse(JSON.parse(text));
}

/** A recalibration on a state, the stack killed at the beginning of each step that is named: how it ended, and its file. */
async function recalibrateWithKills(
  stateDir: string,
  dies: (step: string) => boolean,
): Promise<{ record: RecalibrationRecord; sha256: string | undefined; died: string[] }> {
  const stack = new DevServer(await freePort(), stateDir);
  const died: string[] = [];
  await stack.start();
  try {
    const { id } = await call(stack, recalibration, "POST", "/v1/recalibrations", {});
    let nextCron = 0;
    for (const give = Date.now() + timeoutMs; Date.now() < give; await sleep(pollIntervalMs)) {
      const record = await call(stack, recalibration, "GET", `/v1/recalibrations/${id}`);
      if (record.status !== "queued" && record.status !== "running") {
        const { items } = await call(stack, models, "GET", "/v1/models");
        return { record, sha256: items.find(({ version }) => version === record.version)?.sha256, died };
      }
      if (record.status === "running" && dies(record.step) && !died.includes(record.step)) {
        died.push(record.step);
        await stack.kill();
        await stack.start();
      }
      // The platform calls it every minute.
      if (died.length > 0 && Date.now() > nextCron) {
        nextCron = Date.now() + cronIntervalMs;
        await (await fetch(`${stack.url}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`)).body?.cancel();
      }
    }
    throw new Error(`the recalibration did not end; the stack died at ${died.join(", ")}`);
  } finally {
    await stack.kill();
  }
}

it.runIf(long)(
  "a recalibration ends with the same file, in whatever step the whole stack is killed",
  async () => {
    const states = ["undisturbed", "killed"].map((name) => join(scratch, name));
    await createStateWithLog(states[0]);
    cpSync(states[0], states[1], { recursive: true });
    const undisturbed = await recalibrateWithKills(states[0], () => false);
    expect(undisturbed.record).toMatchObject({ status: "registered", reasons: [] });
    expect(undisturbed.sha256).toBeDefined();
    const killed = await recalibrateWithKills(states[1], () => true);
    console.log(`\nkilled at ${killed.died.join(", ")}: ${killed.record.status}\n`);
    expect(killed.died.length).toBeGreaterThanOrEqual(10);
    expect(killed.record).toMatchObject({ status: "registered", reasons: [] });
    expect(killed.sha256).toBe(undisturbed.sha256);
  },
  1_800_000,
);
