import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Problem } from "../../../shared/contracts/problem.ts";
import { type Refusal, type RefusalCode, RefusalError } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { GatewayContext } from "../context.ts";
import { toProblem } from "./problem.ts";

type GatewayRequest = Context<GatewayContext>;

function respond(c: GatewayRequest, problem: Problem, headers: Record<string, string>): Response {
  c.var.figures.code = problem.code;
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** Returns the problem response for a refusal, with `www-authenticate` and `retry-after` where they apply. */
export function refusalResponse(c: GatewayRequest, refusal: Refusal): Response {
  const headers: Record<string, string> = {};
  if (refusal.code === "unauthorized") headers["www-authenticate"] = "Bearer";
  if (refusal.retryAfter !== undefined) headers["retry-after"] = String(Math.ceil(refusal.retryAfter));
  return respond(c, toProblem(refusal, c.var.requestId), headers);
}

/**
 * Returns a 405 for a path that exists but does not support the request's method; `allow` lists the methods it
 * supports.
 */
export function methodNotAllowedResponse(c: GatewayRequest, methods: string[]): Response {
  const allow = methods.join(", ");
  const refusal: Refusal = {
    code: "method_not_allowed",
    detail: `This path does not support ${c.req.method}; it supports ${allow}.`,
  };
  return respond(c, toProblem(refusal, c.var.requestId), { allow });
}

/** Returns the response for a problem of the connection itself. No refusal of a worker has such a code. */
function connectionProblem(
  c: GatewayRequest,
  problem: Pick<Problem, "code" | "status" | "title" | "detail">,
  headers: Record<string, string> = {},
): Response {
  const type = `urn:vicinity:problem:${problem.code}`;
  return respond(c, { type, ...problem, requestId: c.var.requestId }, headers);
}

/** Returns a 426 for a plain HTTP request to a WebSocket endpoint. */
export const upgradeRequiredResponse = (c: GatewayRequest): Response =>
  connectionProblem(
    c,
    {
      code: "upgrade_required",
      status: 426,
      title: "Upgrade required",
      detail: "This path is a WebSocket endpoint; send an upgrade request.",
    },
    { upgrade: "websocket", connection: "upgrade" },
  );

/**
 * Returns a 408 for a body that arrived too slowly. The runtime closes the connection because it did not read the whole
 * body.
 */
const requestTimeoutResponse = (c: GatewayRequest): Response =>
  connectionProblem(c, {
    code: "request_timeout",
    status: 408,
    title: "Request timeout",
    detail:
      "The body arrived too slowly; a bulk request may have handled its earlier lines. Send the request again.",
  });

const codeByStatus: Record<number, RefusalCode> = {
  400: "invalid_input",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  413: "too_large",
  415: "unsupported_media_type",
};

const detailByStatus: Record<number, string> = {
  413: "The body is larger than this operation allows.",
  415: "This operation does not accept the body's content type.",
};

/** Returns whether the runtime marked an error as transient, so that a retry may succeed. */
const isTransient = (error: Error): boolean =>
  ("retryable" in error && error.retryable === true) || ("overloaded" in error && error.overloaded === true);

/** Returns an error's text and stack frames, without the query parameters that database errors print between them. */
const loggableText = (error: Error): string =>
  [errorText(error), ...(error.stack ?? "").split("\n").filter((line) => /^ +at /.test(line))].join("\n");

/** Logs an error whose cause the client never sees. */
export function logUnexpectedError(error: unknown, requestId = ""): void {
  const text = error instanceof Error ? loggableText(error) : typeof error;
  console.error(JSON.stringify({ event: "unexpected error", requestId, error: text }));
}

/**
 * Returns the problem response for any error that a handler threw. Any error that is neither a refusal nor an HTTP
 * exception is unexpected. The log has it under the request id, and the client sees only the id.
 */
export function errorResponse(c: GatewayRequest, error: Error): Response {
  if (error instanceof RefusalError) return refusalResponse(c, error.refusal);
  if (error instanceof HTTPException) {
    if (error.status === 408) return requestTimeoutResponse(c);
    const code = codeByStatus[error.status] ?? "internal";
    return refusalResponse(c, { code, detail: detailByStatus[error.status] ?? error.message });
  }
  logUnexpectedError(error, c.var.requestId);
  return refusalResponse(
    c,
    isTransient(error)
      ? { code: "unavailable", detail: "A part of the service cannot be reached; try again.", retryAfter: 1 }
      : { code: "internal", detail: "An unexpected error happened." },
  );
}
