/** Address of a running Vicinity, and an admin key for it. */
export interface ApiTarget {
  url: string;
  key: string;
}

/** Requests are retried, since a repeated request changes nothing: imports and rebuilds count each row once. */
const maxAttempts = 6;
/** Delay before the first retry, in milliseconds; it doubles with each retry. */
const firstRetryDelayMs = 1000;
/** Characters of an error response that the thrown error quotes. */
const maxQuotedCharacters = 500;
/**
 * Status codes that are retried. The gateway answers 408 when this machine sent the body too slowly; the lines that it
 * received count as duplicates in the next attempt.
 */
const retriedStatuses = [408, 429, 503];

/** Returns what a network error means, with its cause: `fetch` itself says only that it failed. */
export function connectionFailure({ url }: ApiTarget, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  return `the connection to ${url} failed (${cause || (error instanceof Error ? error.message : error)})`;
}

/**
 * Sends a request and returns the JSON of the response. A bulk request whose lines were all refused returns its report
 * too, although its status is 422. Retries network errors and the status codes 408, 429 and 503;
 * throws with the status and text of the last response otherwise.
 */
export async function sendWithRetries(
  target: ApiTarget,
  method: string,
  path: string,
  body: string,
  contentType: string,
): Promise<unknown> {
  let lastFailure = "";
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0)
      await new Promise((resolve) => setTimeout(resolve, firstRetryDelayMs * 2 ** (attempt - 1)));
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${target.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${target.key}`, "content-type": contentType },
        body,
      });
      text = await response.text();
    } catch (error) {
      lastFailure = connectionFailure(target, error);
      continue;
    }
    if (response.ok) return text ? JSON.parse(text) : null;
    const report = response.status === 422 ? JSON.parse(text).report : undefined;
    if (report !== undefined) return report;
    lastFailure = `${response.status}: ${text.slice(0, maxQuotedCharacters)}`;
    if (!retriedStatuses.includes(response.status)) break;
  }
  throw new Error(`${method} ${path} failed: ${lastFailure}`);
}
