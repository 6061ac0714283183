import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { z } from "zod";
import { Random } from "../model/train/random.ts";
import { migrateLocalDatabases } from "../scripts/databases/migrate.ts";
import { erasure } from "../shared/contracts/erasure.ts";
import { callApi } from "./kill/call-api.ts";
import { DevServer } from "./kill/dev-server.ts";
import { readStores } from "./kill/read-stores.ts";
import { UserRecords, waitUntilTrue } from "./kill/user-records.ts";
import { freePort } from "./support/free-port.ts";

const long = process.env.VICINITY_LONG === "1";
const kills = long ? 20 : 2;
/** Longest time between the request of an erasure and the kill. */
const maxKillDelayMs = 120;

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-erasure-"));
let stack: DevServer;
let records: UserRecords;
beforeAll(async () => {
  await migrateLocalDatabases(stateDir);
  stack = new DevServer(await freePort(), stateDir);
  records = new UserRecords(stack.url);
  await stack.start();
});
afterAll(async () => {
  await stack.kill();
  rmSync(stateDir, { recursive: true, force: true });
});

const call = <S extends z.ZodType>(schema: S, method: string, path: string, body?: object) =>
  callApi(stack.url, schema, method, path, body);

const eventsPerUser = 6;

it(
  "completes an erasure although the whole stack is killed while the erasure runs",
  async () => {
    const random = new Random(7);
    const erasureIds: string[] = [];
    for (let i = 0; i < kills; i++) {
      const userId = `user-${i}`;
      await records.sendEventsAndWait(userId, eventsPerUser);
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
      expect(await records.stores(`user-${i}`)).toEqual([]);
    }
    // A new user with the id of an erased one starts without data.
    await records.sendEventsAndWait("user-0", eventsPerUser);
    await stack.stop();
    const stored = await readStores(stateDir, "demo");
    expect(new Set(stored.interactions.map(({ userId }) => userId))).toEqual(new Set(["user-0"]));
    expect([stored.interactions.length, stored.loggedInteractions]).toEqual([eventsPerUser, eventsPerUser]);
  },
  long ? 1_200_000 : 300_000,
);
