import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticLog } from "../model/recalibrate/testing/synthetic-log.ts";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import { evaluation } from "../shared/contracts/evaluation.ts";
import { writeLog } from "../shared/training-log/testing/write-log.ts";
import { pollUntil } from "./support/polling.ts";
import { TestStack } from "./support/test-stack.ts";

const timeoutMs = 400_000;
const guide = readFileSync(join(import.meta.dirname, "../docs/guides/evaluations.md"), "utf8");
/** The JSON blocks of the guide: requests, and the answer. */
const examples = [...guide.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json));
const requests = examples.filter((each) => !("status" in each));
const answers = examples.filter((each) => "status" in each);

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

/** Returns the paths of all fields of a value, without those of lists. */
function fieldsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, each]) => fieldsOf(each, `${path}.${name}`));
}

describe("docs/guides/evaluations.md", () => {
  it(
    "has requests that are evaluated, and the fields of their answers",
    async () => {
      const lines = syntheticLog(bundledWeights(), {
        ...{ examples: 1200, users: 200, seed: 3, until: Date.now() / 1000, shift: 0, rows: 20 },
        exploration: { rate: 0.5, depth: 4 },
      });
      await writeLog(await stack.binding("trainer", "TRAINING_LOG"), "demo", lines);
      expect(requests.length).toBeGreaterThanOrEqual(3);
      for (const body of requests) {
        const begun = await stack.call("POST", "/v1/evaluations", { body });
        expect(begun.status, JSON.stringify(begun.body)).toBe(202);
        const { id } = evaluation.parse(begun.body);
        const { body: ended } = await pollUntil(
          () => stack.call<{ status: string }>("GET", `/v1/evaluations/${id}`),
          ({ body: { status } }) => !["queued", "running"].includes(status),
          timeoutMs / 1000,
        );
        expect(ended, JSON.stringify(ended)).toMatchObject({ status: "estimated", reasons: [] });
        const { input, ...found } = evaluation.parse(ended);
        const [{ input: _, ...shown }] = answers;
        const leftOut = ".result.leftOut";
        const fields = (value: unknown): string[] =>
          fieldsOf(value)
            .filter((path) => !path.startsWith(leftOut))
            .sort();
        expect(fields(shown)).toEqual(fields(found));
      }
      const { body: list } = await stack.call<{ items: unknown[] }>("GET", "/v1/evaluations");
      expect(list.items).toHaveLength(requests.length);
      const left = await (await stack.binding("trainer", "TRAINING_LOG")).list({
        prefix: "demo/recalibrations/",
      });
      expect(left.objects).toEqual([]);
    },
    timeoutMs,
  );
});
