import { afterAll, beforeAll, expect, it } from "vitest";
import type { CreatedKey } from "../shared/contracts/credential.ts";
import type { DeadLetter } from "../shared/contracts/dead-letter.ts";
import type { Page } from "../shared/contracts/page.ts";
import { retention } from "../shared/contracts/retention.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { logKey } from "../shared/training-log/keys.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { TestStack } from "./test-stack.ts";

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

const day = 86_400_000;
const retentionDays = retention.parse({});
const ago = (days: number): string => new Date(Date.now() - days * day).toISOString();

it("every night what has outlived its time goes, of each kind, and nothing else", async () => {
  const event = (eventId: string, timestamp: string) => ({
    eventId,
    userId: "ann",
    type: "view",
    productId: "p",
    timestamp,
  });
  const sent = await stack.call("POST", "/v1/events/bulk", {
    body: toNdjson([
      event("old", ago(retentionDays.interactions + 1)),
      event("young", ago(retentionDays.interactions - 1)),
    ]),
    headers: ndjsonHeaders,
  });
  expect(sent.status, JSON.stringify(sent.body)).toBe(200);
  const log = await stack.binding("trainer", "TRAINING_LOG");
  const days = [retentionDays.trainingLog + 1, retentionDays.trainingLog - 1].map((days) =>
    ago(days).slice(0, 10),
  );
  for (const date of days) await log.put(logKey("demo", date, 0, "0".repeat(32)), "");
  const keys = await stack.binding("gateway", "DB");
  for (const [id, days] of [
    ["ended", retentionDays.keys + 1],
    ["just-ended", retentionDays.keys - 1],
  ] as const) {
    const { body } = await stack.call<CreatedKey>("POST", "/v1/keys", { body: { role: "client", name: id } });
    await keys
      .prepare("UPDATE api_keys SET revoked_at = ? WHERE id = ?")
      .bind(Math.floor((Date.now() - days * day) / 1000), body.id)
      .run();
  }
  const users = await stack.binding("user", "DB");
  const erased =
    "INSERT INTO erasures (application, pseudonym, generation, erased_at) VALUES ('demo', ?, 0, ?)";
  for (const [user, days] of [
    ["a".repeat(64), retentionDays.tombstones + 1],
    ["b".repeat(64), retentionDays.tombstones - 1],
  ] as const)
    await users
      .prepare(erased)
      .bind(user, Date.now() / 1000 - days * 86_400)
      .run();
  const place =
    "INSERT INTO user_locations (application, user_id, seq, lat, lon, precision, time) VALUES ('demo', 'ann', ?, 1, 2, 'city', ?)";
  for (const [seq, days] of [
    [1001, retentionDays.places + 1],
    [1002, retentionDays.places - 1],
  ] as const)
    await users
      .prepare(place)
      .bind(seq, Date.now() / 1000 - days * 86_400)
      .run();
  const catalog = await stack.binding("product", "CATALOGUE");
  await catalog.send({ application: "demo", productIds: "one" });
  const deadLetters = () => stack.call<Page<DeadLetter>>("GET", "/v1/dead-letters");
  await pollUntil(deadLetters, ({ body }) => body.items.length === 1, 20);

  await stack.runCron("0 3 * * *");

  const history = await stack.call<Page<UserInteraction>>("GET", "/v1/users/ann/interactions");
  expect(history.body.items.map(({ eventId }) => eventId)).toEqual(["young"]);
  const { objects } = await log.list({ prefix: "demo/log/v1/" });
  const left = new Set(objects.map(({ key }: { key: string }) => key.split("/")[3]));
  expect(left).toContain(days[1]);
  expect(left).not.toContain(days[0]);
  const names = (await stack.call<{ items: { name: string }[] }>("GET", "/v1/keys")).body.items;
  expect(names.map(({ name }) => name)).toEqual(["just-ended"]);
  const tombstones = await users.prepare("SELECT pseudonym FROM erasures").all();
  expect(tombstones.results).toEqual([{ user: "b".repeat(64) }]);
  const places = await users.prepare("SELECT seq FROM user_locations WHERE seq > 1000").all();
  expect(places.results).toEqual([{ seq: 1002 }]);
  // What is young stays, a letter of today among it.
  expect((await deadLetters()).body.items).toHaveLength(1);
});
