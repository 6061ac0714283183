import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { ApiTarget } from "../api/send-with-retries.ts";

const requestTimeoutMs = 30_000;
const pollIntervalMs = 100;

/** What `GET /v1/readiness` answers, as far as this command reads it. */
const readiness = z.object({
  ready: z.boolean(),
  workers: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string() })),
  imports: z.array(z.object({ name: z.string(), done: z.number(), total: z.number() })),
});

/** Returns why the service is not ready for the key's application; null if it is ready. */
async function unreadyReason({ url, key }: ApiTarget): Promise<string | null> {
  const answer = await fetch(`${url}/v1/readiness`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(requestTimeoutMs),
  }).catch(() => null);
  if (answer === null) return `no answer within ${requestTimeoutMs / 1000} s`;
  const text = await answer.text();
  if (!answer.ok) return `GET /v1/readiness answered ${answer.status}: ${text}`;
  const { ready, workers, imports } = readiness.parse(JSON.parse(text));
  if (ready) return null;
  const reasons = [
    ...Object.entries(workers).flatMap(([name, each]) => (each.ready ? [] : [`${name}: ${each.detail}`])),
    ...imports.map(({ name, done, total }) => `import ${name}: ${done} of ${total}`),
  ];
  return reasons.join("; ");
}

/**
 * Waits until the service is ready for the application of an admin key, and calls `onWait` with the reason while it is
 * not. A loaded machine may take long, so it gives up only when the same reason has stood for `unchangedSeconds`.
 */
export async function waitUntilReady(
  target: ApiTarget,
  unchangedSeconds: number,
  onWait: (reason: string) => void,
): Promise<void> {
  let reason: string | null = "";
  for (let changedAt = Date.now(); ; await sleep(pollIntervalMs)) {
    const found = await unreadyReason(target);
    if (found === null) return;
    onWait(found);
    if (found !== reason) changedAt = Date.now();
    else if (Date.now() - changedAt > unchangedSeconds * 1000)
      throw new Error(`the service has not become ready for ${unchangedSeconds} s: ${found}`);
    reason = found;
  }
}
