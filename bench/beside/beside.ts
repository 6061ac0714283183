// `npm run bench:beside`: runs the same load on Vicinity and on another recommender, and prints ratios.
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseOrExit } from "../../model/cli/options.ts";
import { demoMarketplace } from "../../scripts/marketplace/read-marketplace.ts";
import { BusyProcesses } from "../load/busy-processes.ts";
import { lastVisits, type Visit } from "../load/demo-visits.ts";
import { findListener, serverRoot, treeUsage } from "../load/process-tree.ts";
import { StartedServer, waitForAnswer } from "../load/started-server.ts";
import { waitUntilIdle } from "../load/wait-until-idle.ts";
import { runToEnd, writeReport } from "../run-to-end.ts";
import { compare } from "./compare.ts";
import { comparisonTable } from "./comparison-table.ts";
import { gorse } from "./gorse.ts";
import { parseComparisonOptions, type SideOptions, usage } from "./options.ts";
import type { Recommender } from "./recommender.ts";
import { type PairedFigures, runRounds, type Side } from "./run-rounds.ts";
import { vicinity } from "./vicinity.ts";

const peers = new Map<string, Recommender>([[gorse.name, gorse]]);
/** Seconds without a request before the idle measurement, and seconds that it lasts. */
const idle = { wait: 60, seconds: 60 };

/** Seconds within which a server must answer that runs already. */
const runningTimeoutSeconds = 20;

const options = parseOrExit(() => parseComparisonOptions(process.argv.slice(2), [...peers.keys()]), usage);
const begun = performance.now();
const log = (line: string): void =>
  console.log(`${((performance.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${line}`);
const notes: string[] = [];
const restartName = "first list after a kill and a start";

/** Starts a side's server if there is a command for it, and finds its processes. */
async function openSide(
  role: Side["role"],
  recommender: Recommender,
  { url, pid, start }: SideOptions,
): Promise<{ side: Side; server: StartedServer | null }> {
  const port = Number(new URL(url).port || 80);
  if (start === null) {
    await waitForAnswer(url, () => recommender.health(), runningTimeoutSeconds);
    const listener = pid ?? findListener(port);
    const root = listener === null ? null : (pid ?? serverRoot(listener));
    if (root === null)
      notes.push(`${recommender.name}: its processes were not found; give --${role}-pid for their figures`);
    return { side: { role, recommender, url, root }, server: null };
  }
  if (findListener(port) !== null)
    throw new Error(`A process listens on port ${port} already; stop it, or leave --${role}-start out.`);
  log(`starting ${recommender.name}`);
  const server = new StartedServer(start, url);
  const ms = await server.start(() => recommender.health());
  log(`${recommender.name} answered after ${(ms / 1000).toFixed(1)} s`);
  return { side: { role, recommender, url, root: server.pid }, server };
}

/** Measures how much of a core the processes of each side use while nothing is asked, in percent. */
async function measureIdle(sides: readonly Side[], paired: PairedFigures): Promise<void> {
  log(`no requests for ${idle.wait} s, then measuring ${idle.seconds} s`);
  await sleep(idle.wait * 1000);
  const used = (): number[] =>
    sides.map(({ root }) => (root === null ? Number.NaN : treeUsage(root).processorSeconds));
  const before = used();
  await sleep(idle.seconds * 1000);
  used().forEach((seconds, i) => {
    paired.add("idle", "% of a core", sides[i].role, (100 * (seconds - before[i])) / idle.seconds);
  });
}

/** Kills and starts the servers that this bench started, and measures when each gives its first good list. */
async function measureRestarts(
  opened: readonly { side: Side; server: StartedServer | null }[],
  visit: Visit,
  paired: PairedFigures,
): Promise<void> {
  for (let restart = 0; restart < options.restarts; restart++)
    for (const { side, server } of opened) {
      if (!server) continue;
      log(`killing and starting ${side.recommender.name}`);
      await server.kill();
      try {
        const ms = await server.start(() => side.recommender.list({ ...visit, items: options.items }));
        paired.add(restartName, "s", side.role, ms / 1000);
      } catch (error) {
        paired.add(restartName, "s", side.role, Number.NaN);
        paired.failures.push(
          `${restartName}, ${side.recommender.name}: ${error instanceof Error ? error.message : error}`,
        );
        return;
      } finally {
        side.root = server.pid;
      }
      // What the server does after its start must not slow the next start down.
      await waitUntilIdle(server.pid, (line) => notes.push(`${side.recommender.name}: ${line}`));
    }
}

async function run(): Promise<void> {
  const peer = peers.get(options.peerKind);
  if (!peer) throw new Error(`There is no adapter for ${options.peerKind}.`);
  const marketplace = demoMarketplace(Date.now() / 1000).marketplace;
  const opened = [
    await openSide("peer", peer, options.peer),
    await openSide("vicinity", vicinity(options.candidates), options.vicinity),
  ];
  const sides: [Side, Side] = [opened[0].side, opened[1].side];
  for (const { recommender, url } of sides)
    log(`${recommender.name} ${await recommender.load(url, marketplace, log)}`);
  const load = loadavg();
  const busy = new BusyProcesses(options.busy);
  const paired = await runRounds(sides, options, marketplace, `beside-${Date.now().toString(36)}`, log);
  await measureRestarts(opened, lastVisits(marketplace)[0], paired);
  if (busy.running < options.busy)
    notes.push(
      `only ${busy.running} of ${options.busy} busy processes ran to the end: each ends after an hour`,
    );
  busy.stop();
  if (options.idle) await measureIdle(sides, paired);
  const comparisons = paired.values.map(compare);
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, node ${process.version}, load ${load[0].toFixed(1)} before and ${loadavg()[0].toFixed(1)} after, ${options.busy} busy processes beside`;
  notes.push(`machine: ${machine}`);
  notes.push(`${options.items} items a list; vicinity ranks ${options.candidates} products for each`);
  console.log(`\n${comparisonTable(comparisons, peer.name)}\n`);
  for (const note of [...paired.failures, ...notes]) console.log(note);
  if (options.json === null) return;
  const report = {
    date: new Date().toISOString(),
    options,
    comparisons,
    values: paired.values,
    failures: paired.failures,
    notes,
  };
  writeReport(options.json, report);
}

await runToEnd(run);
