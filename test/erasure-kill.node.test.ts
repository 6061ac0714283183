import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { Random } from "../model/train/random.ts";
import { migrateLocalDatabases } from "../scripts/databases/migrate.ts";
import { developmentKey } from "../scripts/start/serve.ts";
import { erasure } from "../shared/contracts/erasure.ts";
import { exportItem } from "../shared/contracts/export.ts";
import { freePort } from "./free-port.ts";
import { DevServer } from "./kill/dev-server.ts";
import { readStores } from "./kill/read-stores.ts";

const long = process.env.VICINITY_LONG === "1";
const kills = long ? 20 : 2;
/** The stack dies so many milliseconds after an erasure was asked for, at most. */
const maxKillDelayMs = 120;
const erasureTimeoutMs = 90_000;

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-erasure-"));
let stack: DevServer;
beforeAll(async () => {
  await migrateLocalDatabases(stateDir);
  stack = new DevServer(await freePort(), stateDir);
  await stack.start();
});
afterAll(async () => {
  await stack.kill();
  rmSync(stateDir, { recursive: true, force: true });
});

async function call<S extends z.ZodType>(
  schema: S,
  method: string,
  path: string,
  body?: object,
): Promise<z.infer<S>> {
  const answer = await fetch(`${stack.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return schema.parse(JSON.parse(text));
}

const page = z.object({ items: z.array(exportItem), nextCursor: z.string().optional() });
async function exportedStores(userId: string): Promise<string[]> {
  const stores = new Set<string>();
  for (let cursor = ""; ; ) {
    const { items, nextCursor } = await call(page, "GET", `/v1/users/${userId}/export?limit=100${cursor}`);
    for (const { store } of items) stores.add(store);
    if (nextCursor === undefined) return [...stores].sort();
    cursor = `&cursor=${nextCursor}`;
  }
}

/** Asks until it is so. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const give = Date.now() + erasureTimeoutMs; Date.now() < give; await sleep(100))
    if (await isSo().catch(() => false)) return;
  throw new Error(`not within ${erasureTimeoutMs / 1000} s: ${what}`);
}

const receipt = z.object({ accepted: z.number() });
async function sendEventsAndWait(userId: string): Promise<void> {
  for (let i = 0; i < 6; i++)
    await call(receipt, "POST", "/v1/events", {
      events: [{ eventId: `${userId}-${i}`, userId, type: "view", productId: "p" }],
    });
  await until("the log knows the person", async () =>
    (await exportedStores(userId)).includes("training_log"),
  );
}

it(
  "an erasure that was begun ends, however often the whole stack is killed on its way",
  async () => {
    const random = new Random(7);
    const begun: string[] = [];
    for (let i = 0; i < kills; i++) {
      const userId = `person-${i}`;
      await sendEventsAndWait(userId);
      const asked = call(erasure, "DELETE", `/v1/users/${userId}`).then(
        ({ id }) => id,
        () => null,
      );
      await sleep(random.next() * maxKillDelayMs);
      await stack.kill();
      await stack.start();
      const told = await asked;
      if (told === null) {
        // Nobody was told anything: whoever wants it asks again, and joins what has begun or begins anew.
        begun.push((await call(erasure, "DELETE", `/v1/users/${userId}`)).id);
      } else begun.push(told);
    }
    for (const [i, id] of begun.entries()) {
      await until("the erasure ends", async () => {
        const { status, stores } = await call(erasure, "GET", `/v1/erasures/${id}`);
        return status === "done" && stores.every((each) => each.status === "done");
      });
      expect(await exportedStores(`person-${i}`)).toEqual([]);
    }
    // Somebody new under an old id is taken as such.
    await sendEventsAndWait("person-0");
    await stack.stop();
    const held = await readStores(stateDir, "demo");
    expect(new Set(held.interactions.map(({ userId }) => userId))).toEqual(new Set(["person-0"]));
    expect([held.interactions.length, held.loggedInteractions]).toEqual([6, 6]);
  },
  long ? 1_200_000 : 300_000,
);
