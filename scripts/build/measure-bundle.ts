import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWrangler } from "../wrangler.ts";

/** What wrangler uploads for a worker. Sizes are in kB of 1,000 bytes. */
export interface Bundle {
  /** Size of the script with its modules, without source maps. */
  kilobytes: number;
  gzipKilobytes: number;
  /** Paths of the files that the script contains. */
  inputs: string[];
}

const bytesPerKibibyte = 1024;

/** Bundles a worker as `wrangler deploy` does, uploads nothing, and returns what the bundle is. Throws if it fails. */
export async function measureBundle(config: string): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-bundle-"));
  try {
    const metafile = join(folder, "inputs.json");
    const { code, output } = await runWrangler([
      ...["deploy", "--dry-run", "--outdir", folder, "--metafile", metafile, "-c", config],
    ]);
    const sizes = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(output);
    if (code !== 0 || sizes === null) throw new Error(`${config} cannot be bundled:\n${output.trim()}`);
    const [kilobytes, gzipKilobytes] = sizes.slice(1).map((text) => (Number(text) * bytesPerKibibyte) / 1000);
    const { outputs }: { outputs: Record<string, { inputs: Record<string, unknown> }> } = JSON.parse(
      readFileSync(metafile, "utf8"),
    );
    return {
      kilobytes,
      gzipKilobytes,
      inputs: Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
