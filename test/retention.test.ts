import { afterAll, beforeAll, expect, it } from "vitest";
import { shareOf } from "../shared/async/applications-share.ts";
import type { CreatedKey } from "../shared/contracts/credential.ts";
import type { DeadLetter } from "../shared/contracts/dead-letter.ts";
import type { Page } from "../shared/contracts/page.ts";
import { retention } from "../shared/contracts/retention.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { batchKey, fileKey, manifestKey } from "../shared/training-log/keys.ts";
import { nightlyCron, nightlyShares } from "../workers/gateway/scheduled/nightly.ts";
import { ndjsonHeaders, toNdjson } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

const msPerDay = 86_400_000;
const secondsPerDay = 86_400;
const retentionDays = retention.parse({});
const daysAgo = (days: number): string => new Date(Date.now() - days * msPerDay).toISOString();

it("deletes data older than its retention time every night, and nothing else", async () => {
  const event = (eventId: string, timestamp: string) => ({
    eventId,
    userId: "ann",
    type: "view",
    productId: "p",
    timestamp,
  });
  const sent = await stack.call("POST", "/v1/events/bulk", {
    body: toNdjson([
      event("old", daysAgo(retentionDays.interactions + 1)),
      event("young", daysAgo(retentionDays.interactions - 1)),
    ]),
    headers: ndjsonHeaders,
  });
  expect(sent.status, JSON.stringify(sent.body)).toBe(200);
  const log = await stack.binding("trainer", "TRAINING_LOG");
  const logDates = [retentionDays.trainingLog + 1, retentionDays.trainingLog - 1].map((days) =>
    daysAgo(days).slice(0, 10),
  );
  for (const date of logDates)
    for (const key of [
      batchKey("demo", date, ["f".repeat(64)], "0".repeat(32)),
      fileKey("demo", date, "segment", 0),
      manifestKey("demo", date),
    ])
      await log.put(key, "");
  const keys = await stack.binding("gateway", "DB");
  for (const [id, days] of [
    ["revoked", retentionDays.keys + 1],
    ["recently-revoked", retentionDays.keys - 1],
  ] as const) {
    const { body } = await stack.call<CreatedKey>("POST", "/v1/keys", { body: { role: "server", name: id } });
    await keys
      .prepare("UPDATE api_keys SET revoked_at = ? WHERE id = ?")
      .bind(Math.floor((Date.now() - days * msPerDay) / 1000), body.id)
      .run();
  }
  const users = await stack.binding("user", "DB");
  const insertTombstone =
    "INSERT INTO erasures (application, pseudonym, generation, erased_at) VALUES ('demo', ?, 0, ?)";
  for (const [pseudonym, days] of [
    ["a".repeat(64), retentionDays.tombstones + 1],
    ["b".repeat(64), retentionDays.tombstones - 1],
  ] as const)
    await users
      .prepare(insertTombstone)
      .bind(pseudonym, Date.now() / 1000 - days * secondsPerDay)
      .run();
  const insertLocation =
    "INSERT INTO user_locations (application, user_id, seq, lat, lon, precision, time) VALUES ('demo', 'ann', ?, 1, 2, 'city', ?)";
  for (const [seq, days] of [
    [1001, retentionDays.places + 1],
    [1002, retentionDays.places - 1],
  ] as const)
    await users
      .prepare(insertLocation)
      .bind(seq, Date.now() / 1000 - days * secondsPerDay)
      .run();
  const catalog = await stack.binding("product", "CATALOGUE");
  await catalog.send({ application: "demo", productIds: "one" });
  const deadLetters = () => stack.call<Page<DeadLetter>>("GET", "/v1/dead-letters");
  await pollUntil(deadLetters, ({ body }) => body.items.length === 1, 20);

  // Each minute of the hour serves a share of the applications.
  await stack.runCron(nightlyCron, new Date(shareOf("demo", nightlyShares) * 60_000));

  const history = await stack.call<Page<UserInteraction>>("GET", "/v1/users/ann/interactions");
  expect(history.body.items.map(({ eventId }) => eventId)).toEqual(["young"]);
  for (const version of ["v1", "v2"]) {
    const { objects } = await log.list({ prefix: `demo/log/${version}/` });
    const remainingDates = new Set(objects.map(({ key }: { key: string }) => key.split("/")[3]));
    expect(remainingDates).toContain(logDates[1]);
    expect(remainingDates).not.toContain(logDates[0]);
  }
  const remainingKeys = (await stack.call<{ items: { name: string }[] }>("GET", "/v1/keys")).body.items;
  expect(remainingKeys.map(({ name }) => name)).toEqual(["recently-revoked"]);
  const tombstones = await users.prepare("SELECT pseudonym FROM erasures").all();
  expect(tombstones.results).toEqual([{ pseudonym: "b".repeat(64) }]);
  const locations = await users.prepare("SELECT seq FROM user_locations WHERE seq > 1000").all();
  expect(locations.results).toEqual([{ seq: 1002 }]);
  // The dead-letter message of today stays.
  expect((await deadLetters()).body.items).toHaveLength(1);
});
