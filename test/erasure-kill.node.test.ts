import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { Random } from "../model/train/random.ts";
import { migrateLocalDatabases } from "../scripts/databases/migrate.ts";
import { erasure } from "../shared/contracts/erasure.ts";
import { exportItem } from "../shared/contracts/export.ts";
import { callApi } from "./kill/call-api.ts";
import { DevServer } from "./kill/dev-server.ts";
import { readStores } from "./kill/read-stores.ts";
import { freePort } from "./support/free-port.ts";
import { waitUntil } from "./support/polling.ts";

const long = process.env.VICINITY_LONG === "1";
const kills = long ? 20 : 2;
/** Longest time between the request of an erasure and the kill. */
const maxKillDelayMs = 120;
const erasureTimeoutSeconds = 90;

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

const call = <S extends z.ZodType>(schema: S, method: string, path: string, body?: object) =>
  callApi(stack.url, schema, method, path, body);

const exportPage = z.object({ items: z.array(exportItem), nextCursor: z.string().optional() });
/** Returns the names of the stores that have data of a user, from the export. */
async function exportedStores(userId: string): Promise<string[]> {
  const stores = new Set<string>();
  for (let cursor = ""; ; ) {
    const { items, nextCursor } = await call(
      exportPage,
      "GET",
      `/v1/users/${userId}/export?limit=100${cursor}`,
    );
    for (const { store } of items) stores.add(store);
    if (nextCursor === undefined) return [...stores].sort();
    cursor = `&cursor=${nextCursor}`;
  }
}

/** Waits until a condition holds. A request that fails counts as a condition that does not hold. */
const waitUntilTrue = (description: string, condition: () => Promise<boolean>): Promise<void> =>
  waitUntil(
    () => condition().catch(() => false),
    erasureTimeoutSeconds,
    () => description,
  );

const eventsPerUser = 6;
const receipt = z.object({ accepted: z.number() });
/** Sends six events of a user and waits until the training log contains them. */
async function sendEventsAndWait(userId: string): Promise<void> {
  for (let i = 0; i < eventsPerUser; i++)
    await call(receipt, "POST", "/v1/events", {
      events: [{ eventId: `${userId}-${i}`, userId, type: "view", productId: "p" }],
    });
  await waitUntilTrue(`the training log must contain events of ${userId}`, async () =>
    (await exportedStores(userId)).includes("training_log"),
  );
}

it(
  "completes an erasure although the whole stack is killed while the erasure runs",
  async () => {
    const random = new Random(7);
    const erasureIds: string[] = [];
    for (let i = 0; i < kills; i++) {
      const userId = `user-${i}`;
      await sendEventsAndWait(userId);
      const answered = call(erasure, "DELETE", `/v1/users/${userId}`).then(
        ({ id }) => id,
        () => null,
      );
      await sleep(random.next() * maxKillDelayMs);
      await stack.kill();
      await stack.start();
      const id = await answered;
      if (id === null) {
        // The client got no answer, so it asks again. It gets the id of the running erasure or starts a new one.
        erasureIds.push((await call(erasure, "DELETE", `/v1/users/${userId}`)).id);
      } else erasureIds.push(id);
    }
    for (const [i, id] of erasureIds.entries()) {
      await waitUntilTrue(`erasure ${id} must be done`, async () => {
        const { status, stores } = await call(erasure, "GET", `/v1/erasures/${id}`);
        return status === "done" && stores.every((store) => store.status === "done");
      });
      expect(await exportedStores(`user-${i}`)).toEqual([]);
    }
    // A new user with the id of an erased one starts without data.
    await sendEventsAndWait("user-0");
    await stack.stop();
    const stored = await readStores(stateDir, "demo");
    expect(new Set(stored.interactions.map(({ userId }) => userId))).toEqual(new Set(["user-0"]));
    expect([stored.interactions.length, stored.loggedInteractions]).toEqual([eventsPerUser, eventsPerUser]);
  },
  long ? 1_200_000 : 300_000,
);
