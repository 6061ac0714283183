import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticLog } from "../model/recalibrate/testing/synthetic-log.ts";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import type { ModelDetails, ModelRecord } from "../shared/contracts/model.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { writeLog } from "../shared/training-log/testing/write-log.ts";
import { negateHeads } from "../workers/recommendation/testing/negate-heads.ts";
import { startWithProducts } from "./support/import-products.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";
import { uploadModel } from "./support/upload-model.ts";

const products = generateProducts("oslo", oslo, 80);

const recommendIn = async (stack: TestStack, userId: string) => {
  const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
    body: { userId, location: oslo, limit: 10 },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const detailsIn = async (stack: TestStack, version: string) =>
  (await stack.call<ModelDetails>("GET", `/v1/models/${version}`)).body;
const versionIn = async (stack: TestStack) => (await recommendIn(stack, "anybody")).model.version;

describe("model upload", () => {
  const stack = new TestStack({ recommendation: { ROLLOUT: '{"gate":{"maxCalibrationError":1}}' } });
  beforeAll(() => startWithProducts(stack, oslo, products));
  afterAll(() => stack.stop());

  it("refuses a worse model with the reasons of the gate and serves it to no user", async () => {
    const until = Date.now() / 1000 - 60;
    const log = syntheticLog(bundledWeights(), { examples: 600, users: 100, seed: 7, until, shift: 0 });
    await writeLog(await stack.binding("recommendation", "TRAINING_LOG"), "demo", log);
    expect((await uploadModel(stack, "good", bundledWeights())).status).toBe("serving");
    const worse = await uploadModel(stack, "worse", negateHeads(bundledWeights()));
    expect(worse.status).toBe("refused");
    expect(worse.origin.gate?.reasons.join()).toContain("gain");
    expect(await versionIn(stack)).toBe("good");
    const { rollout, changes } = await detailsIn(stack, "worse");
    expect(rollout).toBeNull();
    expect(changes.map(({ status }) => status)).toEqual(["refused"]);
  });
});

describe("rollout with a forced gate", () => {
  const stack = new TestStack({
    "user-session": { CLICK_WINDOW_SECONDS: "1" },
    recommendation: {
      ROLLOUT: JSON.stringify({
        gate: { forced: true },
        shadow: { share: 1, minRequests: 5, minSeconds: 0 },
        canary: { share: 0.4, effect: 0.3, minUsers: 15, minExposures: 15 },
      }),
    },
  });
  /** Ids of the nearest products. The simulated users click only these. */
  let clickableIds: Set<string>;
  beforeAll(async () => {
    clickableIds = new Set((await startWithProducts(stack, oslo, products)).slice(0, 25));
  });
  afterAll(() => stack.stop());

  it("rolls back a worse model in its canary stage because of its outcomes", async () => {
    expect((await uploadModel(stack, "good", bundledWeights())).status).toBe("serving");
    expect((await uploadModel(stack, "worse", negateHeads(bundledWeights()))).status).toBe("shadow");
    await pollUntil(
      async () => {
        await recommendIn(stack, "passer-by");
        return (await detailsIn(stack, "worse")).status;
      },
      (status) => status === "canary",
      30,
    );
    const requestsByVariant = new Map<string, number>();
    for (let i = 0; i < 100; i++) {
      const userId = `user-${i}`;
      const { recommendationId, items, variant, model } = await recommendIn(stack, userId);
      requestsByVariant.set(variant, (requestsByVariant.get(variant) ?? 0) + 1);
      expect(model.version).toBe(variant === "rollout:worse/canary" ? "worse" : "good");
      const clicked = items.find(({ productId }) => clickableIds.has(productId));
      // Every third user clicks nothing.
      if (!clicked || i % 3 === 0) continue;
      const event = {
        eventId: `e-${i}`,
        userId,
        type: "click",
        productId: clicked.productId,
        recommendationId,
      };
      await stack.call("POST", "/v1/events", { body: { events: [event] } });
    }
    expect([...requestsByVariant.keys()].sort()).toEqual([
      "default",
      "rollout:worse/canary",
      "rollout:worse/control",
    ]);
    const ended = await pollUntil(
      async () => {
        await stack.runCron();
        return detailsIn(stack, "worse");
      },
      ({ status }) => status !== "canary",
      40,
    );
    expect(ended.status, JSON.stringify(ended.rollout)).toBe("rolled_back");
    expect(ended.changes.at(-1)).toMatchObject({ by: "rollout", reason: expect.stringContaining("worse") });
    const outcomes = ended.rollout?.canary?.outcomes;
    // Each exposure counts once, also if it is a success.
    expect(outcomes?.canary.exposures).toBeLessThanOrEqual(
      requestsByVariant.get("rollout:worse/canary") ?? 0,
    );
    expect(outcomes?.control.exposures).toBeLessThanOrEqual(
      requestsByVariant.get("rollout:worse/control") ?? 0,
    );
    expect(outcomes?.control.rate ?? 0).toBeGreaterThan(outcomes?.canary.rate ?? 1);
    expect(
      await pollUntil(
        () => versionIn(stack),
        (version) => version === "good",
      ),
    ).toBe("good");
  });

  it("promotes and rolls back a version by request within ten seconds without a failed request", async () => {
    const answers: { status: number; version: string }[] = [];
    let isOver = false;
    const client = async (name: string) => {
      for (let i = 0; !isOver && i < 60; i++) {
        const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
          body: { userId: `${name}-${i % 5}`, location: oslo, limit: 10 },
        });
        answers.push({ status, version: body.model?.version });
      }
    };
    const clients = Promise.all(Array.from({ length: 16 }, (_, i) => client(`client-${i}`)));
    const change = async (action: string, expectedVersion: string) => {
      const { status } = await stack.call<ModelRecord>("POST", `/v1/models/worse/${action}`);
      expect(status).toBe(200);
      expect(
        await pollUntil(
          () => versionIn(stack),
          (version) => version === expectedVersion,
          10,
        ),
      ).toBe(expectedVersion);
    };
    await change("promote", "worse");
    await change("rollback", "good");
    isOver = true;
    await clients;
    expect(answers.length).toBeGreaterThan(16);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set(["good", "worse"]));
    expect((await stack.call("POST", "/v1/models/worse/rollback")).status).toBe(409);
  });
});
