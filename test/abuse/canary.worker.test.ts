import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import { emptyArmTotals } from "../../model/experiments/sequential.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import { packFeatures } from "../../model/features/pack-features.ts";
import { randomBatch } from "../../model/onnx/random-batch.ts";
import type { Interaction } from "../../shared/contracts/event.ts";
import type { Impression } from "../../shared/contracts/impression.ts";
import type { ExperimentCounts } from "../../shared/contracts/queues.ts";
import { type Requester, trustedRequester } from "../../shared/contracts/requester.ts";
import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { canaryVerdict } from "../../workers/recommendation/rollout/decide-rollout.ts";
import { rolloutSettingsOf } from "../../workers/recommendation/settings.ts";
import { sentMessages } from "./sent-messages.ts";
import { bindings } from "./shop.ts";

const { LONG } = Object.assign({ LONG: false }, env);
/** Users that an attack invents, and those of each arm whom someone vouches for. */
const invented = LONG ? 1000 : 150;
const honest = 60;
const experiment = "rollout:v2";
const stranger: Requester = { ...trustedRequester, isVouched: false, tokenIssuedAt: 1, network: "net" };
const start = Date.UTC(2100, 0, 4, 12);
const features = packFeatures(featureShape, randomBatch(featureShape, 1, 1), [0]);

const shown = (recommendationId: string, arm: string): Impression => ({
  receipt: {
    ...{ recommendationId, time: new Date(Date.now()).toISOString(), isPlacePrivate: true },
    ...{ variant: `${experiment}/${arm}`, candidates: 500, items: [], stages: [] },
    model: { version: "v1", sha256: "0".repeat(64) },
    location: { city: null, country: null, precision: "exact", source: "none" },
  },
  featureHash: featureShape.hash,
  rows: [{ productId: "p0", position: 1, propensity: 1, score: 1, category: null }],
  features,
});
const event = (eventId: string, productId: string, recommendationId: string | null): Interaction => ({
  ...{ eventId, type: recommendationId === null ? "view" : "click", productId, recommendationId },
  ...{ time: Date.now() / 1000, location: null },
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
});

/** Users of one arm, each with some impressions, of which some lead to a click. */
interface Crowd {
  name: string;
  arm: "canary" | "control";
  users: number;
  impressions: number;
  clicks: number;
  requester: Requester;
}

/** Sends the impressions and clicks of a crowd, and closes their click windows. */
async function act({ name, arm, users, impressions, clicks, requester }: Crowd): Promise<void> {
  const session = (n: number) => userSessionStub(bindings.USER_SESSION, "demo", `${name}${n}`, null);
  for (let n = 0; n < users; n++) {
    const ids = Array.from({ length: impressions }, (_, i) => `${name}-${n}-${i}`);
    for (const id of ids) await session(n).recordImpression("demo", `${name}${n}`, shown(id, arm), requester);
    const events = [
      event(`${name}${n}v`, `p${n}`, null),
      ...ids.slice(0, clicks).map((id) => event(`e${id}`, "p0", id)),
    ];
    await session(n).ingest("demo", `${name}${n}`, events, false, requester);
  }
  vi.setSystemTime(Date.now() + 1_900_000);
  for (let n = 0; n < users; n++) await runDurableObjectAlarm(session(n));
}

/** The newest counts of each user, by pseudonym. */
const counted = new Map<string, ExperimentCounts>();

/** Returns the verdict on the canary after everything that was sent. */
function verdict() {
  for (const { users } of sentMessages.take())
    for (const { pseudonym, rows } of users)
      for (const row of rows)
        if (row.kind === "counts" && row.counts.exposures > (counted.get(pseudonym)?.exposures ?? 0))
          counted.set(pseudonym, row.counts);
  const totals = new Map<string, ArmTotals>();
  for (const { arm, exposures, successes } of counted.values()) {
    const sum = totals.get(arm) ?? emptyArmTotals;
    totals.set(arm, {
      people: sum.people + 1,
      exposures: sum.exposures + exposures,
      successes: sum.successes + successes,
      exposuresSquared: sum.exposuresSquared + exposures ** 2,
      exposuresTimesSuccesses: sum.exposuresTimesSuccesses + exposures * successes,
      successesSquared: sum.successesSquared + successes ** 2,
    });
  }
  return canaryVerdict(totals, rolloutSettingsOf({}));
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  // A fixed time ahead of the machine's clock: no alarm runs by itself.
  vi.setSystemTime(start);
  for (const arm of ["canary", "control"] as const)
    await act({
      ...{ name: `honest-${arm}`, arm, users: honest, impressions: 10, clicks: 2 },
      requester: trustedRequester,
    });
});
afterAll(() => void vi.useRealTimers());

describe("S3: a canary", () => {
  const rows: string[] = [];
  afterAll(() =>
    console.log(
      [
        "| campaign | users of the arms | rate of the canary | verdict |",
        "| --- | --- | --- | --- |",
        ...rows,
      ].join("\n"),
    ),
  );
  const note = (campaign: string): ReturnType<typeof verdict> => {
    const found = verdict();
    const { canary, control } = found;
    rows.push(
      `| ${campaign} | ${canary.people} and ${control.people} | ${canary.rate.toFixed(3)} | ${found.verdict} |`,
    );
    return found;
  };

  it("is decided by nobody whom no one vouches for, up or down", async () => {
    const before = note("none");
    await act({
      ...{ name: "up", arm: "canary", users: invented, impressions: 2, clicks: 2 },
      requester: stranger,
    });
    expect(note(`${invented} strangers click in the canary`).verdict).toBe(before.verdict);
    await act({
      ...{ name: "down", arm: "canary", users: invented, impressions: 2, clicks: 0 },
      requester: stranger,
    });
    await act({
      ...{ name: "rival", arm: "control", users: invented, impressions: 2, clicks: 2 },
      requester: stranger,
    });
    const after = note(`${invented} click in the control, ${invented} not in the canary`);
    expect(after.verdict).toBe(before.verdict);
    expect(after.canary.people).toBeLessThanOrEqual(honest + Math.ceil(invented * 0.01));
    expect(after.control.people).toBeLessThanOrEqual(honest + Math.ceil(invented * 0.01));
  });

  it("would be decided by them if each counted, as before", async () => {
    await act({
      ...{ name: "counted", arm: "canary", users: invented, impressions: 4, clicks: 0 },
      requester: trustedRequester,
    });
    expect(note(`version 0.2: ${invented} users do not click in the canary`).verdict).toBe("worse");
  });
});
