import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workers } from "../../scripts/workers.ts";
import { runWrangler } from "../../scripts/wrangler.ts";
import type { BenchContext } from "../context.ts";
import { summarizeTimes } from "../figure.ts";

const rounds = 3;
/** Milliseconds that Cloudflare allows for the start of a worker. */
const allowedMs = 1000;

/** Measures the processor time of each worker's start with `wrangler check startup`, in milliseconds. */
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
        const activeMs = /Active: ([\d.]+) ms/.exec(output)?.[1];
        if (code !== 0 || activeMs === undefined)
          throw new Error(`wrangler check startup failed for ${name}: ${output.slice(-300)}`);
        times.push(Number(activeMs));
      }
      context.figures.push({
        section: "startup",
        name: `start of the worker ${name}`,
        unit: "ms",
        ...summarizeTimes(times),
        baseline: null,
        limit: { label: "allowed by Cloudflare", value: allowedMs },
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
