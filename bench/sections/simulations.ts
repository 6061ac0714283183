import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/workers.ts";
import { localTracesOff } from "../../scripts/wrangler.ts";
import type { BenchContext } from "../context.ts";

/** Lines of a failed run that its error shows. */
const shownLines = 40;

/** Runs the long form of a test in workerd, and adds the table that it prints to the report. */
function runSimulation(context: BenchContext, section: string, project: string, file: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", project, file],
    {
      cwd: root,
      encoding: "utf8",
      env: {
        ...localTracesOff,
        ...process.env,
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        NO_COLOR: "1",
        VICINITY_LONG: "1",
        WRANGLER_SEND_METRICS: "false",
      },
    },
  );
  const lines = stdout.split("\n");
  if (status !== 0)
    throw new Error(
      `The test of the section ${section} failed: ${[...lines, stderr].slice(-shownLines).join("\n")}`,
    );
  context.addNote([`${section}:`, ...lines.filter((line) => line.startsWith("|"))].join("\n"));
}

/**
 * Measures how late readers in five locations show changes of products, and what their reads cost: cells and readers by their
 * real code, with a simulated clock and a KV that is late.
 */
export async function measureFreshness(context: BenchContext): Promise<void> {
  runSimulation(context, "freshness", "location", "spatial-index/freshness");
}

/** Counts what events cost in quiet and busy places, from the request to the tile of the world, on the code that serves. */
export async function measureCost(context: BenchContext): Promise<void> {
  runSimulation(context, "cost", "faults", "cost-of-events");
}
