import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workers } from "../../scripts/workers.ts";
import { runWrangler } from "../../scripts/wrangler.ts";
import type { BenchContext } from "../context.ts";
import { summarizeTimes } from "../figure.ts";

const rounds = 3;
/** Milliseconds that the platform allows a worker to start. */
const allowedMs = 1000;

/** Milliseconds of work at the start of each worker's isolate, as `wrangler check startup` measures it here. */
export async function measureStartup(context: BenchContext): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-bench-startup-"));
  try {
    for (const { name, config } of workers) {
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const profile = join(folder, `${name}.cpuprofile`);
        const { code, output } = await runWrangler([
          ...["check", "startup", `--args=-c ${config}`, "--outfile", profile],
        ]);
        const active = /Active: ([\d.]+) ms/.exec(output)?.[1];
        if (code !== 0 || active === undefined)
          throw new Error(`wrangler check startup failed for ${name}: ${output.slice(-300)}`);
        times.push(Number(active));
      }
      context.figures.push({
        section: "startup",
        name: `isolate of ${name}`,
        unit: "ms",
        ...summarizeTimes(times),
        baseline: null,
        limit: { label: "allowed by the platform", value: allowedMs },
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
