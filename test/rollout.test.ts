import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticLog } from "../model/recalibrate/testing/synthetic-log.ts";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import type { NearbyAnswer } from "../shared/contracts/location.ts";
import type { ModelDetails, ModelRecord } from "../shared/contracts/model.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { writeLog } from "../shared/training-log/testing/write-log.ts";
import { negateHeads } from "../workers/recommendation/testing/negate-heads.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { generateProducts, oslo } from "./products.ts";
import { TestStack } from "./test-stack.ts";
import { uploadModel } from "./upload-model.ts";

const products = generateProducts("oslo", oslo, 80);

async function open(stack: TestStack): Promise<string[]> {
  await stack.start();
  await stack.call("POST", "/v1/products/bulk", { body: toNdjson(products), headers: ndjsonHeaders });
  const { body } = await pollUntil(
    () => stack.call<NearbyAnswer>("GET", `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}&limit=80`),
    (answer) => answer.body.items?.length === 80,
  );
  return body.items.map(({ productId }) => productId);
}
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

describe("a worse model that is brought by hand", () => {
  const stack = new TestStack({ recommendation: { ROLLOUT: '{"gate":{"mostCalibrationError":1}}' } });
  beforeAll(() => open(stack));
  afterAll(() => stack.stop());

  it("is refused by the gate, with its reasons, and meets nobody", async () => {
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

describe("with the gate forced open", () => {
  const stack = new TestStack({
    recommendation: {
      CLICK_WINDOW_SECONDS: "1",
      ROLLOUT: JSON.stringify({
        gate: { forced: true },
        shadow: { share: 1, minRequests: 5, minSeconds: 0 },
        canary: { share: 0.4, effect: 0.3, minPeople: 15, minExposures: 15 },
      }),
    },
  });
  /** What people here want: what is near. */
  let wanted: Set<string>;
  beforeAll(async () => {
    wanted = new Set((await open(stack)).slice(0, 25));
  });
  afterAll(() => stack.stop());

  it("a worse model is rolled back in its canary by itself, by what people do", async () => {
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
    const seen = new Map<string, number>();
    for (let i = 0; i < 100; i++) {
      const userId = `person-${i}`;
      const { recommendationId, items, variant, model } = await recommendIn(stack, userId);
      seen.set(variant, (seen.get(variant) ?? 0) + 1);
      expect(model.version).toBe(variant === "rollout:worse/canary" ? "worse" : "good");
      const liked = items.find(({ productId }) => wanted.has(productId));
      // Of three people one wants nothing today, whatever they are shown.
      if (!liked || i % 3 === 0) continue;
      const event = {
        eventId: `e-${i}`,
        userId,
        type: "click",
        productId: liked.productId,
        recommendationId,
      };
      await stack.call("POST", "/v1/events", { body: { events: [event] } });
    }
    expect([...seen.keys()].sort()).toEqual(["default", "rollout:worse/canary", "rollout:worse/control"]);
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
    // Each exposure counts once, a success too.
    expect(outcomes?.canary.exposures).toBeLessThanOrEqual(seen.get("rollout:worse/canary") ?? 0);
    expect(outcomes?.control.exposures).toBeLessThanOrEqual(seen.get("rollout:worse/control") ?? 0);
    expect(outcomes?.control.rate ?? 0).toBeGreaterThan(outcomes?.canary.rate ?? 1);
    expect(
      await pollUntil(
        () => versionIn(stack),
        (version) => version === "good",
      ),
    ).toBe("good");
  });

  it("a version is promoted and rolled back by hand within ten seconds, without one failed request", async () => {
    const answered: { status: number; version: string }[] = [];
    let over = false;
    const client = async (name: string) => {
      for (let i = 0; !over && i < 60; i++) {
        const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
          body: { userId: `${name}-${i % 5}`, location: oslo, limit: 10 },
        });
        answered.push({ status, version: body.model?.version });
      }
    };
    const clients = Promise.all(Array.from({ length: 16 }, (_, i) => client(`client-${i}`)));
    const change = async (action: string, then: string) => {
      const { status } = await stack.call<ModelRecord>("POST", `/v1/models/worse/${action}`);
      expect(status).toBe(200);
      expect(
        await pollUntil(
          () => versionIn(stack),
          (version) => version === then,
          10,
        ),
      ).toBe(then);
    };
    await change("promote", "worse");
    await change("rollback", "good");
    over = true;
    await clients;
    expect(answered.length).toBeGreaterThan(16);
    expect(answered.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(answered.map(({ version }) => version))).toEqual(new Set(["good", "worse"]));
    expect((await stack.call("POST", "/v1/models/worse/rollback")).status).toBe(409);
  });
});
