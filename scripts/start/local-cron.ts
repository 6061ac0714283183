import { clearInterval, setInterval } from "node:timers";

const intervalMs = 60_000;

/**
 * Triggers the gateway's cron now and then every minute, since the local runtime has no cron of its own. The first call
 * is immediate because the last run may have left work unfinished. Returns a function that stops the calls.
 */
export function startLocalCron(url: string): () => void {
  const trigger = (): void => {
    fetch(`${url}/cdn-cgi/handler/scheduled`).then(
      (response) => response.body?.cancel(),
      () => undefined,
    );
  };
  trigger();
  const timer = setInterval(trigger, intervalMs);
  return () => clearInterval(timer);
}
