/** A running Vicinity, and an admin key of it. */
export interface ApiTarget {
  url: string;
  key: string;
}

/** Attempts for one request: everything here may be sent again, nothing is counted twice. */
const attempts = 6;

/** A call, sent again where it failed for now. Answers the JSON of the answer; throws with its words. */
export async function sendWithRetries(
  target: ApiTarget,
  method: string,
  path: string,
  body: string,
  type: string,
): Promise<unknown> {
  let last = "";
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    const answer = await fetch(`${target.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${target.key}`, "content-type": type },
      body,
    }).catch((error: unknown) => String(error));
    if (typeof answer === "string") {
      last = answer;
      continue;
    }
    const text = await answer.text();
    if (answer.ok) return text ? JSON.parse(text) : null;
    last = `${answer.status}: ${text.slice(0, 500)}`;
    // 408: this machine was too busy to send; the lines that arrived are known.
    if (![408, 429, 503].includes(answer.status)) break;
  }
  throw new Error(`${method} ${path} answered ${last}`);
}
