import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { formatFindings } from "./kill/format-findings.ts";
import { runKillTrial } from "./kill/run-kill-trial.ts";

const long = process.env.VICINITY_LONG === "1";
const scratch = mkdtempSync(join(tmpdir(), "vicinity-kill-"));
/** Seed of the requests and of the moments of the kills. */
const seed = Number(process.env.KILL_SEED ?? 1);

const plan = long
  ? { kills: 50, events: 20_000, clients: 16, usersPerClient: 2, maxUptimeMs: 5000, minutes: 40 }
  : { kills: 2, events: 400, clients: 10, usersPerClient: 2, maxUptimeMs: 2500, minutes: 5 };

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it(
  "stores every acknowledged event exactly once, although the whole stack is killed repeatedly",
  async () => {
    const onProgress = long ? console.log : () => undefined;
    const { ledger, kills, findings, seconds } = await runKillTrial({ ...plan, seed, onProgress }, scratch);
    console.log(
      `\n${kills} kills in ${Math.round(seconds)} s, seed ${seed}: ${ledger.requests} requests of ${plan.clients * plan.usersPerClient} users, ` +
        `${ledger.unansweredRequests} of them without an answer, ${ledger.events.size} events, ${ledger.accepted} acknowledged as accepted, ` +
        `${ledger.duplicates} acknowledged as duplicates, ${ledger.recommendations} recommendations\n${formatFindings(findings)}\n`,
    );
    expect(ledger.contradictions).toEqual([]);
    expect(ledger.countUnacknowledged()).toBe(0);
    expect(kills).toBe(plan.kills);
    expect(ledger.events.size).toBeGreaterThanOrEqual(plan.events);
    for (const finding of findings) expect(finding).toMatchObject({ lost: 0, extra: 0 });
  },
  plan.minutes * 60_000,
);
