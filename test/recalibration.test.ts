import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticLog } from "../model/recalibrate/testing/synthetic-log.ts";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import type { ModelRecord } from "../shared/contracts/model.ts";
import { type RecalibrationRecord, recalibration } from "../shared/contracts/recalibration.ts";
import { writeLog } from "../shared/training-log/testing/write-log.ts";
import { pollUntil } from "./support/polling.ts";
import { TestStack } from "./support/test-stack.ts";

/** The recalibration trains a model, which takes minutes on a busy machine. */
const timeoutMs = 400_000;

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

describe("POST /v1/recalibrations", () => {
  it(
    "trains on the log, reports its progress, and registers a candidate that passes the gate",
    async () => {
      const until = Date.now() / 1000;
      const lines = syntheticLog(bundledWeights(), {
        examples: 1200,
        users: 150,
        seed: 3,
        until,
        shift: 1.2,
      });
      await writeLog(await stack.binding("trainer", "TRAINING_LOG"), "demo", lines);

      const begun = await stack.call<RecalibrationRecord>("POST", "/v1/recalibrations", { body: {} });
      expect(begun.status, JSON.stringify(begun.body)).toBe(202);
      const { id, status } = recalibration.parse(begun.body);
      expect(status).toBe("queued");
      expect((await stack.call("POST", "/v1/recalibrations", { body: {} })).status).toBe(409);

      const steps = new Set<string>();
      const { body: ended } = await pollUntil(
        async () => {
          const answer = await stack.call<RecalibrationRecord>("GET", `/v1/recalibrations/${id}`);
          steps.add(answer.body.step);
          return answer;
        },
        ({ body }) => !["queued", "running"].includes(body.status),
        timeoutMs / 1000,
      );
      expect(ended, JSON.stringify(ended)).toMatchObject({ status: "registered", reasons: [], progress: 1 });
      expect(steps.size).toBeGreaterThan(2);

      const { body: models } = await stack.call<{ items: ModelRecord[] }>("GET", "/v1/models");
      const candidate = models.items.find(({ version }) => version === ended.version);
      expect(candidate?.parent).toBe(ended.parent);
      expect(candidate?.origin).toMatchObject({ by: `recalibration ${id}`, gate: { passed: true } });

      const left = await (await stack.binding("trainer", "TRAINING_LOG")).list({
        prefix: "demo/recalibrations/",
      });
      expect(left.objects).toEqual([]);
    },
    timeoutMs,
  );
});
