import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { endAllProcesses } from "./workers/processes.ts";

/** Ends all processes that this bench started, then this one. */
async function exit(code: number): Promise<never> {
  await endAllProcesses();
  process.exit(code);
}

/** Runs a bench and ends this process, and all processes that it started; also after an error or a signal. */
export async function runToEnd(run: () => Promise<void>): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void exit(130));
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return exit(1);
  }
  return exit(0);
}

/** Writes a report as JSON to a file, and makes its folder where there is none. */
export function writeReport(file: string, report: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
