import type { Problem } from "../../../shared/contracts/problem.ts";
import type { Refusal, RefusalCode } from "../../../shared/contracts/result.ts";

/** The one map from inner refusals to the wire: status and title of each code. */
const statusAndTitle: Record<RefusalCode, { status: number; title: string }> = {
  invalid_input: { status: 400, title: "Invalid input" },
  unauthorized: { status: 401, title: "No valid credential" },
  forbidden: { status: 403, title: "Outside the credential's scope" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "Conflict" },
  too_large: { status: 413, title: "Too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Unavailable" },
};

/** HTTP status of a refusal. */
export const httpStatusOf = (code: RefusalCode): number => statusAndTitle[code].status;

/**
 * A refusal as RFC 9457 problem details. The detail of an internal error never leaves: its request id leads to
 * the log.
 */
export function toProblem(refusal: Refusal, requestId: string): Problem {
  const { status, title } = statusAndTitle[refusal.code];
  return {
    type: `urn:vicinity:problem:${refusal.code}`,
    title,
    status,
    detail:
      refusal.code === "internal"
        ? "Something went wrong here; the request id leads to its cause."
        : refusal.detail,
    code: refusal.code,
    requestId,
    ...(refusal.issues ? { errors: refusal.issues } : {}),
  };
}
