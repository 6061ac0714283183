import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random } from "../model/train/random.ts";
import { migrateLocalDatabases } from "../scripts/databases/migrate.ts";
import { erasure } from "../shared/contracts/erasure.ts";
import { type Merge, merge } from "../shared/contracts/merge.ts";
import { callApi } from "./kill/call-api.ts";
import { DevServer } from "./kill/dev-server.ts";
import { readStores } from "./kill/read-stores.ts";
import { eventIds, UserRecords, waitUntilTrue } from "./kill/user-records.ts";
import { freePort } from "./support/free-port.ts";

const long = process.env.VICINITY_LONG === "1";
/** The last trial of three also erases the known user while the merge runs. */
const trials = long ? 21 : 3;
/** Longest time between the request of a merge and the kill. A merge of this history takes about as long. */
const maxKillDelayMs = Number(process.env.KILL_DELAY_MS ?? 500);
const events = { anonymous: 1500, known: 3 };

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-merge-"));
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

/**
 * Requests a merge, and kills the stack meanwhile. Requests it again after the restart, as a client does that got no
 * answer. Returns the second answer, and whether there was no first one.
 */
async function killDuringMerge(
  from: string,
  into: string,
  delayMs: number,
): Promise<Merge & { isUnanswered: boolean }> {
  const request = () => callApi(stack.url, merge, "POST", `/v1/users/${into}/merge`, { from });
  const answered = request().catch(() => null);
  await sleep(delayMs);
  await stack.kill();
  await stack.start();
  const [first, again] = [await answered, await request()];
  if (first) expect(again.id).toBe(first.id);
  return { ...again, isUnanswered: first === null };
}

async function waitForMerge(id: string): Promise<Merge> {
  const state = () => callApi(stack.url, merge, "GET", `/v1/merges/${id}`);
  await waitUntilTrue(`merge ${id} must end`, async () => (await state()).status !== "running");
  return state();
}

async function eraseAndWait(userId: string): Promise<void> {
  const { id } = await callApi(stack.url, erasure, "DELETE", `/v1/users/${userId}`);
  await waitUntilTrue(
    `erasure ${id} must be done`,
    async () => (await callApi(stack.url, erasure, "GET", `/v1/erasures/${id}`)).status === "done",
  );
}

it(
  "completes a merge although the whole stack is killed while the merge runs, with or without an erasure",
  async () => {
    const random = new Random(11);
    /** Ids of the events that each user must have in the end. */
    const expected = new Map<string, string[]>();
    const outcomes = { running: 0, unanswered: 0, done: 0, cancelled: 0 };
    for (let i = 0; i < trials; i++) {
      const [anonymous, known] = [`anonymous-${i}`, `known-${i}`];
      await records.importEvents(anonymous, events.anonymous);
      await records.sendEventsAndWait(known, events.known);
      const killed = await killDuringMerge(anonymous, known, random.next() * maxKillDelayMs);
      const { id } = killed;
      if (killed.isUnanswered) outcomes.unanswered++;
      if (killed.status === "running") outcomes.running++;
      const isErased = i % 3 === 2;
      if (isErased) await eraseAndWait(known);
      const { status, reason } = await waitForMerge(id);
      outcomes[status === "done" ? "done" : "cancelled"]++;
      const ofAnonymous = eventIds(anonymous, events.anonymous).sort();
      if (!isErased) {
        expect(status, String(reason)).toBe("done");
        expected.set(known, [...ofAnonymous, ...eventIds(known, events.known)].sort());
      } else if (status === "cancelled") {
        expect(reason).toBe("into_erased");
        // The erasure takes both users, or the anonymous one keeps everything if the merge had hardly begun.
        if ((await records.stores(anonymous)).length > 0) expected.set(anonymous, ofAnonymous);
      }
      for (const userId of [anonymous, known]) {
        const items = await records.export(userId);
        const stored = items.flatMap((item) =>
          item.store === "interactions" ? [item.interaction.eventId] : [],
        );
        expect(stored.sort(), userId).toEqual(expected.get(userId) ?? []);
        expect(
          items.filter(({ store }) => store === "training_log"),
          userId,
        ).toHaveLength(stored.length);
        if (!expected.has(userId)) expect(items).toEqual([]);
      }
    }
    console.log(
      `\n${trials} kills: ${outcomes.unanswered} requests without an answer, ${outcomes.running} merges still running after the restart; ` +
        `${outcomes.done} merges done, ${outcomes.cancelled} cancelled by an erasure\n`,
    );
    await stack.stop();
    const stored = await readStores(stateDir, "demo");
    const byUser = Map.groupBy(stored.interactions, ({ userId }) => userId);
    expect(
      new Map([...byUser].map(([userId, rows]) => [userId, rows.map((row) => row.eventId).sort()])),
    ).toEqual(expected);
    expect(stored.loggedInteractions).toBe([...expected.values()].flat().length);
  },
  long ? 1_800_000 : 420_000,
);
