import { expect, it } from "vitest";
import * as z from "zod";
import { Random } from "../model/train/random.ts";
import { coarsening } from "../shared/contracts/coarsening.ts";
import { callApi } from "./kill/call-api.ts";
import { createTestServer, killDuring } from "./kill/kill-during.ts";
import { waitUntilTrue } from "./kill/user-records.ts";

const long = process.env.VICINITY_LONG === "1";
const kills = long ? 20 : 2;
/** Longest time between the lowered consent and the kill. The coarsening of this history takes about as long. */
const maxKillDelayMs = Number(process.env.KILL_DELAY_MS ?? 1000);
const eventsPerUser = 1500;
const exactPoint = { lat: 59.913456, lon: 10.752891 };
/** Digits of the exact point that no answer may contain once it is coarsened. */
const exactDigits = /59\.9134|10\.7528/;

const { stack, records } = await createTestServer("coarsening");

const setConsent = (userId: string, location: "exact" | "city") =>
  callApi(stack.url, z.object({ coarsening: coarsening.optional() }), "PUT", `/v1/users/${userId}`, {
    consent: { location },
  });

it(
  "S11: coarsens all that is stored although the whole stack is killed meanwhile",
  async () => {
    const random = new Random(13);
    const outcomes = { running: 0, unanswered: 0 };
    for (let i = 0; i < kills; i++) {
      const userId = `user-${i}`;
      await setConsent(userId, "exact");
      await records.importEvents(userId, eventsPerUser, exactPoint);
      await callApi(stack.url, z.unknown(), "PUT", `/v1/users/${userId}/location`, exactPoint);
      expect(JSON.stringify(await records.export(userId))).toMatch(exactDigits);

      const lowerConsent = () => setConsent(userId, "city");
      const first = await killDuring(stack, lowerConsent, random.next() * maxKillDelayMs);
      // A client that got no answer sends its request again, which changes nothing if the first one was stored.
      if (first === null) outcomes.unanswered++;
      const id = (first ?? (await lowerConsent())).coarsening?.id;
      if (id !== undefined) {
        const state = () => callApi(stack.url, coarsening, "GET", `/v1/coarsenings/${id}`);
        if ((await state()).status === "running") outcomes.running++;
        await waitUntilTrue(`coarsening ${id} must end`, async () => (await state()).status !== "running");
      }
      await waitUntilTrue(
        `no record of ${userId} may contain the exact location`,
        async () => !exactDigits.test(JSON.stringify(await records.export(userId))),
      );
      const items = await records.export(userId);
      expect(items.filter(({ store }) => store === "interactions")).toHaveLength(eventsPerUser);
    }
    console.log(
      `\n${kills} kills: ${outcomes.unanswered} requests without an answer, ${outcomes.running} coarsenings still running after the restart\n`,
    );
  },
  long ? 1_800_000 : 420_000,
);
