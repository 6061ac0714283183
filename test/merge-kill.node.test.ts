import { expect, it } from "vitest";
import { Random } from "../model/train/random.ts";
import { erasure } from "../shared/contracts/erasure.ts";
import { type Merge, merge } from "../shared/contracts/merge.ts";
import { callApi } from "./kill/call-api.ts";
import { createTestServer, killDuring } from "./kill/kill-during.ts";
import { readStores } from "./kill/read-stores.ts";
import { eventIds, waitUntilTrue } from "./kill/user-records.ts";

const long = process.env.VICINITY_LONG === "1";
/** The last trial of three also erases the known user while the merge runs. */
const trials = long ? 21 : 3;
/** Longest time between the request of a merge and the kill. A merge of this history takes about as long. */
const maxKillDelayMs = Number(process.env.KILL_DELAY_MS ?? 500);
const events = { anonymous: 1500, known: 3 };

const { stack, records, stateDir } = await createTestServer("merge");

/** A merge during which the stack was killed. */
interface Trial {
  anonymous: string;
  known: string;
  mergeId: string;
  /** The erasure of the known user that began while the merge ran; null if there was none. */
  erasureId: string | null;
}

const outcomes = { running: 0, unanswered: 0, done: 0, cancelled: 0 };

/**
 * Requests a merge, and kills the stack meanwhile. Requests it again after the restart, as a client does that got no
 * answer. Does not wait for the end of the merge, so that the next kill may hit it too.
 */
async function killDuringMerge(index: number, delayMs: number): Promise<Trial> {
  const [anonymous, known] = [`anonymous-${index}`, `known-${index}`];
  await records.importEvents(anonymous, events.anonymous);
  await records.sendEventsAndWait(known, events.known);
  const request = () => callApi(stack.url, merge, "POST", `/v1/users/${known}/merge`, { from: anonymous });
  const first = await killDuring(stack, request, delayMs);
  const again = await request();
  if (first) expect(again.id).toBe(first.id);
  else outcomes.unanswered++;
  if (again.status === "running") outcomes.running++;
  const erase = () => callApi(stack.url, erasure, "DELETE", `/v1/users/${known}`);
  return { anonymous, known, mergeId: again.id, erasureId: index % 3 === 2 ? (await erase()).id : null };
}

/** Waits until a merge, and the erasure of its known user, have ended. Returns the merge. */
async function waitForEnd({ mergeId, erasureId }: Trial): Promise<Merge> {
  if (erasureId !== null)
    await waitUntilTrue(
      `erasure ${erasureId} must be done`,
      async () => (await callApi(stack.url, erasure, "GET", `/v1/erasures/${erasureId}`)).status === "done",
    );
  const state = () => callApi(stack.url, merge, "GET", `/v1/merges/${mergeId}`);
  await waitUntilTrue(`merge ${mergeId} must end`, async () => (await state()).status !== "running");
  return state();
}

/** Returns the ids of the events that the users of an ended merge must have. A user without events is absent. */
async function expectedEvents(
  { anonymous, known, erasureId }: Trial,
  { status, reason }: Merge,
): Promise<Map<string, string[]>> {
  const ofAnonymous = eventIds(anonymous, events.anonymous);
  if (erasureId === null) {
    expect(status, String(reason)).toBe("done");
    return new Map([[known, [...ofAnonymous, ...eventIds(known, events.known)].sort()]]);
  }
  if (status === "done") return new Map();
  expect(reason).toBe("into_erased");
  // The erasure takes both users, or the anonymous one keeps everything if the merge had hardly begun.
  const isKept = (await records.stores(anonymous)).length > 0;
  return new Map(isKept ? [[anonymous, ofAnonymous.sort()]] : []);
}

/** Expects that history and training log have each expected event of a user once, and that nothing else is stored. */
async function expectStored(userId: string, expected: string[] | undefined): Promise<void> {
  const items = await records.export(userId);
  const stored = items.flatMap((item) => (item.store === "interactions" ? [item.interaction.eventId] : []));
  expect(stored.sort(), userId).toEqual(expected ?? []);
  expect(
    items.filter(({ store }) => store === "training_log"),
    userId,
  ).toHaveLength(stored.length);
  if (!expected) expect(items).toEqual([]);
}

it(
  "completes a merge although the whole stack is killed while the merge runs, with or without an erasure",
  async () => {
    const random = new Random(11);
    const killed: Trial[] = [];
    for (let i = 0; i < trials; i++) killed.push(await killDuringMerge(i, random.next() * maxKillDelayMs));
    /** Ids of the events that each user must have in the end. */
    const expected = new Map<string, string[]>();
    for (const trial of killed) {
      const ended = await waitForEnd(trial);
      outcomes[ended.status === "done" ? "done" : "cancelled"]++;
      const ofTrial = await expectedEvents(trial, ended);
      for (const userId of [trial.anonymous, trial.known]) await expectStored(userId, ofTrial.get(userId));
      for (const [userId, ids] of ofTrial) expected.set(userId, ids);
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
