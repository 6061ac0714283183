import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { identifier, point } from "../../../shared/contracts/primitives.ts";
import { problem } from "../../../shared/contracts/problem.ts";
import type { GatewayContext } from "../context.ts";
import type { AccessLevel } from "../keys/caller.ts";

/** What a body must be announced as; of other kinds than JSON the handler judges. */
export type BodyKind = "json" | "other";

/** What guards an operation: who may call it, how often, and how much of its body is read. */
export interface RouteGuard {
  /** The scopes, as the document names them. */
  security: { credential: string[] }[];
  middleware: MiddlewareHandler<GatewayContext>[];
}
export type GuardRoute = (access: AccessLevel, maxBodyBytes?: number, bodyKind?: BodyKind) => RouteGuard;

export const kilobytes = (n: number): number => n * 1024;
export const megabytes = (n: number): number => n * 1024 * 1024;

/** The bound of a JSON body that says no other. */
export const jsonBytes = kilobytes(64);

/** An answer of JSON. */
export const jsonResponse = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});

/** A body of JSON, which must be there. */
export const jsonBody = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});

/**
 * A body of at most so many lines of JSON, each as a component of the document says. Its schema is of all lines together, as
 * OpenAPI 3.2 has it for media types that are sequences; 3.1 says nothing else.
 */
export const ndjsonBody = (component: string, maxLines: number) => ({
  required: true,
  content: {
    "application/x-ndjson": {
      schema: z
        .array(z.unknown())
        .min(1)
        .max(maxLines)
        .openapi({ items: { $ref: `#/components/schemas/${component}` } }),
    },
  },
});

/** Every refusal, as RFC 9457 says. */
export const problemResponses = {
  default: {
    description: "A refusal: what is wrong, and with which part of the input.",
    content: { "application/problem+json": { schema: problem.meta({ id: "Problem" }) } },
  },
} as const;

/** For operations without query parameters: any is reported as unknown. */
export const noQuery = z.strictObject({});

/** A number in a query string: decimal notation, with an exponent or without; nothing else that JavaScript would take for one. */
const decimalNumber = z
  .string()
  .regex(/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i, "must be a decimal number")
  .transform(Number);

/** A query parameter that is a number within bounds. */
const numberParameter = (schema: z.ZodNumber, minimum: number, maximum: number) =>
  decimalNumber.pipe(schema.min(minimum).max(maximum)).openapi({ type: "number", minimum, maximum });

export const latitudeParameter = numberParameter(point.shape.lat, -90, 90);
export const longitudeParameter = numberParameter(point.shape.lon, -180, 180);
export const radiusKmParameter = numberParameter(z.number(), 0.001, 20_100);

/** `limit` of a list that has no pages. */
export const limitParameter = (maximum: number, defaultLimit: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${maximum}`)
    .transform(Number)
    .pipe(z.number().min(1).max(maximum))
    .default(defaultLimit)
    .openapi({ type: "integer", minimum: 1, maximum, default: defaultLimit });

/** `limit` and `cursor` of a list with pages. */
export const pageParameters = z.strictObject({
  limit: limitParameter(500, 50),
  cursor: z.string().min(1).max(512).optional(),
});

/** `id` in a path. */
export const idPath = z.object({ id: identifier });
