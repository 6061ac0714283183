import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureBundle } from "../../scripts/build/measure-bundle.ts";
import { workers } from "../../scripts/workers.ts";
import { runWrangler } from "../../scripts/wrangler.ts";
import type { BenchContext } from "../context.ts";
import { singleMeasurement, summarizeTimes } from "../figure.ts";

const rounds = 3;
/** Milliseconds that Cloudflare allows for the start of a worker. */
const allowedMs = 1000;

/** The workers of objects, and what their bundles and starts may take: each isolate with an object loads one. */
const objectWorkers: ReadonlySet<string> = new Set(["user-session", "cell"]);
const objectLimits = { kilobytes: 500, milliseconds: 50 } as const;

/**
 * Measures what each worker's start takes: the size of its bundle as `wrangler deploy --dry-run` counts it, in kB of 1,000
 * bytes, and the processor time of its start in workerd as `wrangler check startup` profiles it, in milliseconds.
 */
export async function measureStartup(context: BenchContext): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-bench-startup-"));
  try {
    for (const { name, config } of workers) {
      const isObjects = objectWorkers.has(name);
      const { kilobytes, gzipKilobytes } = await measureBundle(config);
      context.figures.push({
        section: "startup",
        name: `bundle of the worker ${name}`,
        unit: "kB",
        ...singleMeasurement(kilobytes),
        baseline: { label: "compressed by gzip", value: gzipKilobytes },
        limit: isObjects ? { label: "for workers of objects", value: objectLimits.kilobytes } : null,
      });
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
        limit: isObjects
          ? { label: "for workers of objects", value: objectLimits.milliseconds }
          : { label: "allowed by Cloudflare", value: allowedMs },
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
