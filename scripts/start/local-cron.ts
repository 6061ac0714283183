import { clearInterval, setInterval } from "node:timers";

const intervalMs = 60_000;

/**
 * The platform calls the cron every minute; a local runtime does not, so this process keeps time for it: at once, since the
 * last run may have left something open, and then every minute. Answers how to stop.
 */
export function startLocalCron(url: string): () => void {
  const ring = (): void => {
    fetch(`${url}/cdn-cgi/handler/scheduled`).then(
      (answer) => answer.body?.cancel(),
      () => undefined,
    );
  };
  ring();
  const timer = setInterval(ring, intervalMs);
  return () => clearInterval(timer);
}
