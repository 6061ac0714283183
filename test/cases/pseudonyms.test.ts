import { createHash } from "node:crypto";
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventReceipt } from "../../shared/contracts/event.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { logPseudonymOf } from "../../shared/pseudonyms/hashed-names.ts";
import { unpackLines } from "../../shared/training-log/lines.ts";
import { exportUserData } from "../support/export-user-data.ts";
import { startWithProducts } from "../support/import-products.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { objectIdIn, stackPseudonymKeys } from "../support/pseudonyms.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack({ "user-session": { CLICK_WINDOW_SECONDS: "2" } });
const products = generateProducts("oslo", oslo, 30);

interface LogLine extends Record<string, unknown> {
  kind: "interaction" | "example" | "correction";
  pseudonym: string;
  recommendation: string | null;
  event?: string;
}

/** Returns the lines of all objects of the training log. */
async function logLines(): Promise<LogLine[]> {
  const log: R2Bucket = await stack.binding("recommendation", "TRAINING_LOG");
  const lines: unknown[] = [];
  for (const { key } of (await log.list({ prefix: "demo/log/" })).objects) {
    const object = await log.get(key);
    if (object) lines.push(...(await unpackLines(await object.arrayBuffer())));
  }
  return lines as LogLine[];
}

async function recommend(userId: string): Promise<RecommendationAnswer> {
  const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
    body: { userId, location: oslo },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

async function send(userId: string, type: string, { items, recommendationId }: RecommendationAnswer) {
  const eventId = `event-${type}-${recommendationId.slice(0, 40)}`;
  const event = { eventId, userId, type, productId: items[0].productId, recommendationId };
  const { body } = await stack.call<EventReceipt>("POST", "/v1/events", { body: { events: [event] } });
  expect(body.accepted).toBe(1);
  return eventId;
}

/** Returns the hashes without a key, in hexadecimal and base64url, that a reader of the log could compute of a text. */
const plainHashes = (text: string): string[] =>
  ["sha1", "sha256", "sha512", "md5"].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(text).digest();
    return [digest.toString("hex"), digest.toString("base64url")];
  });

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

describe("S12: the training log and the ids of the API", () => {
  it("have nothing in common, while lines of the log still join", async () => {
    const known: string[] = [];
    const names = new Map<string, string>();
    for (const userId of ["ann-of-the-log", "bob-of-the-log"]) {
      const answers = [await recommend(userId), await recommend(userId), await recommend(userId)];
      const ids = answers.map(({ recommendationId }) => recommendationId);
      const objectId = await objectIdIn(ids[0]);
      expect(await objectIdIn(ids[2])).toBe(objectId);
      known.push(userId, `demo:${userId}`, objectId, Buffer.from(objectId, "hex").toString("base64url"));
      for (const id of ids) known.push(id, Buffer.from(id, "base64url").toString("hex"));
      for (const answer of answers) known.push(await send(userId, "click", answer));
      names.set(userId, await logPseudonymOf(await stackPseudonymKeys(), objectId));
    }
    const ofKind = (lines: LogLine[], kind: string) => lines.filter((line) => line.kind === kind);
    const lines = await pollUntil(
      logLines,
      (all) => ofKind(all, "example").length >= 6 && ofKind(all, "interaction").length >= 6,
      30,
    );
    // Each example has the name of the recommendation of one click, of the same user.
    for (const example of ofKind(lines, "example")) {
      const clicks = ofKind(lines, "interaction").filter(
        ({ recommendation }) => recommendation === example.recommendation,
      );
      expect(clicks).toHaveLength(1);
      expect(clicks[0].pseudonym).toBe(example.pseudonym);
    }
    expect(new Set(lines.map(({ pseudonym }) => pseudonym))).toEqual(new Set(names.values()));

    const text = JSON.stringify(lines);
    const partLength = 12;
    for (const each of known) {
      // Not even a part of an id is in the log: no piece of 12 characters.
      for (let at = 0; at + partLength <= each.length; at++)
        expect(text).not.toContain(each.slice(at, at + partLength));
      for (const hash of plainHashes(each)) expect(text).not.toContain(hash.slice(0, 32));
    }
    // The other way: no hash of a name is in an id.
    const ids = known.join(" ");
    for (const { pseudonym, recommendation, event } of lines)
      for (const name of [pseudonym, recommendation, event].filter((each) => typeof each === "string"))
        for (const hash of [name, Buffer.from(name, "hex").toString("base64url"), ...plainHashes(name)])
          expect(ids).not.toContain(hash.slice(0, 16));
  });

  it("is exported and erased by the user's name in the log, which the export does not tell", async () => {
    const userId = "cleo-of-the-log";
    const answer = await recommend(userId);
    await send(userId, "click", answer);
    const name = await logPseudonymOf(await stackPseudonymKeys(), await objectIdIn(answer.recommendationId));
    const linesOfUser = async () => (await logLines()).filter(({ pseudonym }) => pseudonym === name);
    await pollUntil(linesOfUser, (lines) => lines.length >= 2, 30);
    const exported = (await exportUserData(stack, userId)).filter(({ store }) => store === "training_log");
    expect(exported.length).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify(exported)).not.toContain(name);

    const { body } = await stack.call<{ id: string }>("DELETE", `/v1/users/${userId}`);
    await pollUntil(
      () => stack.call<{ status: string }>("GET", `/v1/erasures/${body.id}`),
      (state) => state.body.status === "done",
      30,
    );
    expect(await linesOfUser()).toEqual([]);
    const altered = `${body.id.slice(0, -1)}${body.id.endsWith("A") ? "B" : "A"}`;
    for (const path of [`/v1/erasures/${altered}`, `/v1/recommendations/${body.id}`])
      expect((await stack.call("GET", path)).status).toBe(404);
  });
});
