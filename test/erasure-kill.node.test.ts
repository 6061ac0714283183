import { expect, it } from "vitest";
import { Random } from "../model/train/random.ts";
import { erasure } from "../shared/contracts/erasure.ts";
import { callApi } from "./kill/call-api.ts";
import { createTestServer, killDuring } from "./kill/kill-during.ts";
import { readStores } from "./kill/read-stores.ts";
import { waitUntilTrue } from "./kill/user-records.ts";

const long = process.env.VICINITY_LONG === "1";
const kills = long ? 20 : 2;
/** Longest time between the request of an erasure and the kill. */
const maxKillDelayMs = 120;

const { stack, records, stateDir } = await createTestServer("erasure");

const callErasure = (method: string, path: string) => callApi(stack.url, erasure, method, path);

const eventsPerUser = 6;

it(
  "completes an erasure although the whole stack is killed while the erasure runs",
  async () => {
    const random = new Random(7);
    const erasureIds: string[] = [];
    for (let i = 0; i < kills; i++) {
      const userId = `user-${i}`;
      await records.sendEventsAndWait(userId, eventsPerUser);
      const request = () => callErasure("DELETE", `/v1/users/${userId}`);
      const first = await killDuring(stack, request, random.next() * maxKillDelayMs);
      // A client that got no answer asks again. It gets the id of the running erasure or starts a new one.
      erasureIds.push((first ?? (await request())).id);
    }
    for (const [i, id] of erasureIds.entries()) {
      await waitUntilTrue(`erasure ${id} must be done`, async () => {
        const { status, stores } = await callErasure("GET", `/v1/erasures/${id}`);
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
