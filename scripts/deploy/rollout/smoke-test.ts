import { setTimeout as sleepFor } from "node:timers/promises";
import * as z from "zod";

/** Application whose key the smoke test uses. It has no products and one user. */
export const smokeApplication = "deployment-test";
const smokeUser = "deployment-test";

/** Probability with which a test of many requests reaches a version that gets a share of them. */
const reachProbability = 0.95;
/** Most requests of one test. */
const maxRequests = 100;
/** Milliseconds for which a worker may be not ready: a new isolate loads the model, and answers of a second ago count. */
const maxNotReadyMs = 30_000;
const retryMs = 2_000;
const requestTimeoutMs = 20_000;

/** What a smoke test calls. */
export interface SmokeTarget {
  /** Address of the gateway. */
  url: string;
  /** A key of {@link smokeApplication}. */
  key: string;
  /** Full name and id of the version that must answer, if it is one of the gateway; null otherwise. */
  gatewayVersion: { worker: string; versionId: string } | null;
  /** Recommendations to ask for. */
  requests: number;
}

/** What a smoke test needs from outside. */
export interface SmokeParts {
  fetch: typeof fetch;
  sleep: (ms: number) => Promise<unknown>;
}

export const smokeParts: SmokeParts = { fetch, sleep: sleepFor };

/** Returns how many requests reach a version with 95% probability, if it gets `percentage` of them; at most 100. */
export const requestsToReach = (percentage: number): number =>
  percentage >= 100
    ? 3
    : Math.min(maxRequests, Math.ceil(Math.log(1 - reachProbability) / Math.log(1 - percentage / 100)));

const healthy = z.object({ status: z.literal("ok") });
const ready = z.object({ status: z.literal("ready") });
const recommended = z.object({ items: z.array(z.unknown()) });

/** An answer of the gateway that shows that the deployment does not work. */
export class SmokeTestError extends Error {}

/**
 * Asks the gateway whether it is up and ready, then for recommendations of an application without products, which go
 * through all workers that answer requests. Returns a line that says what was tested. Throws {@link SmokeTestError} at the
 * first wrong answer.
 */
export async function smokeTest(
  { url, key, gatewayVersion, requests }: SmokeTarget,
  parts: SmokeParts = smokeParts,
): Promise<string> {
  const override: Record<string, string> = gatewayVersion
    ? { "Cloudflare-Workers-Version-Overrides": `${gatewayVersion.worker}="${gatewayVersion.versionId}"` }
    : {};
  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await parts
      .fetch(new URL(path, url), {
        ...init,
        headers: { ...override, ...(init.headers as Record<string, string>) },
        signal: AbortSignal.timeout(requestTimeoutMs),
      })
      .catch((error: unknown) => {
        throw new SmokeTestError(
          `${path} was not answered: ${error instanceof Error ? error.message : error}`,
        );
      });
    return { status: answer.status, text: await answer.text() };
  };
  const expectJson = (
    path: string,
    { status, text }: { status: number; text: string },
    schema: z.ZodType,
  ): void => {
    const isRight = status === 200 && schema.safeParse(parseOrNull(text)).success;
    if (!isRight) throw new SmokeTestError(`${path} answered ${status}: ${text.slice(0, 300)}`);
  };

  expectJson("/healthz", await call("/healthz"), healthy);
  for (let waited = 0; ; waited += retryMs) {
    const answer = await call("/readyz");
    if (answer.status !== 503 || waited >= maxNotReadyMs) {
      expectJson("/readyz", answer, ready);
      break;
    }
    await parts.sleep(retryMs);
  }
  const durations: number[] = [];
  for (let i = 0; i < requests; i++) {
    const from = performance.now();
    const answer = await call("/v1/recommendations", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ userId: smokeUser }),
    });
    expectJson("/v1/recommendations", answer, recommended);
    durations.push(performance.now() - from);
  }
  const median = durations.sort((a, b) => a - b)[Math.floor(durations.length / 2)] ?? 0;
  return `healthy, ready, ${requests} ${requests === 1 ? "recommendation" : "recommendations"} in ${Math.round(median)} ms each`;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
