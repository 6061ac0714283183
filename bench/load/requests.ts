/** One HTTP request, and what a good answer to it is. */
export interface LoadRequest {
  method: "GET" | "POST";
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** Returns why an answer counts as failed; null for a good one. Throws if the answer cannot be read. */
  failure(status: number, text: string): string | null;
}

/** Characters of a failed answer that a report quotes. */
const maxQuotedCharacters = 200;

/** Returns why an answer has failed whose status is not the expected one; null if it is. */
export const statusFailure = (expected: number, status: number, text: string): string | null =>
  status === expected
    ? null
    : `status ${status} instead of ${expected}: ${text.slice(0, maxQuotedCharacters)}`;

/** Returns why an answer has failed by the request's own check. An answer that cannot be read has failed too. */
export function answerFailure(request: LoadRequest, status: number, text: string): string | null {
  try {
    return request.failure(status, text);
  } catch (error) {
    return `the answer cannot be read (${error instanceof Error ? error.message : error}): ${text.slice(0, maxQuotedCharacters)}`;
  }
}
