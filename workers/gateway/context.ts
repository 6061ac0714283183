import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Stage } from "../../shared/contracts/recommendation.ts";
import type { Caller } from "./keys/caller.ts";

/** Figures of one request that handlers fill in for its data point and its `server-timing` header. */
export interface RequestFigures {
  /** Empty where no model ranked. */
  modelVersion: string;
  /** Number of products that were ranked. */
  candidates: number;
  stages: Stage[];
  /** Code of the problem; empty for a success. */
  code: string;
}

/** Variables that middleware sets for later middleware and handlers. Only guarded operations have a `caller`. */
export interface GatewayContext {
  Variables: {
    requestId: string;
    figures: RequestFigures;
    caller: Caller;
    /** The credential that a beacon had in its body; absent for other requests. */
    bodyCredential: string | undefined;
    /** Response headers that state the rate limit. */
    rateLimitHeaders: Record<string, string>;
  };
}

/** The Hono application. */
export type Gateway = OpenAPIHono<GatewayContext>;
