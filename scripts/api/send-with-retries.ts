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
function connectionFailure({ url }: ApiTarget, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  return `the connection to ${url} failed (${cause || (error instanceof Error ? error.message : error)})`;
}

/** A response whose status is not one of those that are retried. */
interface Answer {
  ok: boolean;
  status: number;
  text: string;
}

/** Makes a request. Retries network errors and the status codes 408, 429 and 503; throws if the last attempt meets one. */
async function request(
  target: ApiTarget,
  method: string,
  path: string,
  content?: { body: string; type: string },
): Promise<Answer> {
  let lastFailure = "";
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0)
      await new Promise((resolve) => setTimeout(resolve, firstRetryDelayMs * 2 ** (attempt - 1)));
    try {
      const response = await fetch(`${target.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${target.key}`,
          ...(content === undefined ? {} : { "content-type": content.type }),
        },
        body: content?.body,
      });
      const { ok, status } = response;
      const text = await response.text();
      if (!retriedStatuses.includes(status)) return { ok, status, text };
      lastFailure = failureText({ status, text });
    } catch (error) {
      lastFailure = connectionFailure(target, error);
    }
  }
  throw new Error(`${method} ${path} failed: ${lastFailure}`);
}

const failureText = ({ status, text }: Omit<Answer, "ok">): string =>
  `${status}: ${text.slice(0, maxQuotedCharacters)}`;

/** Gets a resource as JSON, with retries; null if there is none. Throws with the status and text of any other error. */
export async function getWithRetries(target: ApiTarget, path: string): Promise<unknown> {
  const answer = await request(target, "GET", path);
  if (answer.ok) return JSON.parse(answer.text);
  if (answer.status === 404) return null;
  throw new Error(`GET ${path} failed: ${failureText(answer)}`);
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
  const answer = await request(target, method, path, { body, type: contentType });
  if (answer.ok) return answer.text ? JSON.parse(answer.text) : null;
  const report = answer.status === 422 ? JSON.parse(answer.text).report : undefined;
  if (report !== undefined) return report;
  throw new Error(`${method} ${path} failed: ${failureText(answer)}`);
}
