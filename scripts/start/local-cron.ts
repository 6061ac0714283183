import { clearInterval, setInterval } from "node:timers";

const intervalMs = 60_000;

/**
 * Runs the gateway's cron trigger now and then every minute, since the local runtime has no cron of its own. The first run
 * is immediate because an earlier server may have left work unfinished. Returns a function that stops the runs.
 */
export function startLocalCron(run: () => Promise<void>): () => void {
  // A failed run is in the log of the workers, and the next one does its work.
  const trigger = (): void => void run().catch(() => undefined);
  trigger();
  const timer = setInterval(trigger, intervalMs);
  return () => clearInterval(timer);
}
