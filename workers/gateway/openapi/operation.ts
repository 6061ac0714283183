import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { identifier, plainId } from "../../../shared/contracts/primitives.ts";
import { problem } from "../../../shared/contracts/problem.ts";
import { maxReportedLines } from "../../../shared/contracts/product.ts";
import type { GatewayContext } from "../context.ts";
import type { AccessLevel } from "../keys/caller.ts";

/**
 * `json` requires a JSON content type, `beacon` accepts a request of `navigator.sendBeacon` too; with `other`, the handler
 * checks the content type.
 */
export type BodyKind = "json" | "beacon" | "other";

/** Fields of a route that limit who may call it, how often, and how large its body may be. */
export interface RouteGuard {
  /** The access level, as the OpenAPI document states it. */
  security: { credential: string[] }[];
  middleware: MiddlewareHandler<GatewayContext>[];
}

/** Returns the guard of a route. Without `maxBodyBytes`, no middleware reads the body. */
export type GuardRoute = (access: AccessLevel, maxBodyBytes?: number, bodyKind?: BodyKind) => RouteGuard;

/** Returns `n` kibibytes in bytes. */
export const kilobytes = (n: number): number => n * 1024;
/** Returns `n` mebibytes in bytes. */
export const megabytes = (n: number): number => n * 1024 * 1024;

/** Returns a JSON response for the OpenAPI document. */
export const jsonResponse = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});

/** Returns a required JSON body for the OpenAPI document. */
export const jsonBody = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});

/**
 * Returns an NDJSON body of at most `maxLines` lines for the OpenAPI document; each line matches the schema
 * `component`. Its schema is an array of the lines, which is how OpenAPI 3.2 describes sequential media types. OpenAPI
 * 3.1 does not define them.
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

/** Says what a bulk operation reports. */
export const describeBulkReport =
  `A refused line is reported with its number, a code, the field, what was found and what is right; the others are stored. ` +
  `\`errors\` lists the first ${maxReportedLines} refused lines, and \`errorsOmitted\` counts the others. If all lines are refused, the ` +
  "status is 422 with the same report in `report`. `warnings` lists accepted lines that are not stored as they were sent.";

/** Describes every status that an operation does not list as an RFC 9457 problem. */
export const problemResponses = {
  default: {
    description: "A problem: what is wrong, and with which part of the input.",
    content: { "application/problem+json": { schema: problem.meta({ id: "Problem" }) } },
  },
} as const;

/** The query of an operation without parameters. A request with any parameter is refused. */
export const noQuery = z.strictObject({});

/** A number in decimal notation, perhaps with an exponent. `Number` alone also accepts an empty text and `0x3`. */
const decimalNumber = z
  .string()
  .regex(/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i, "must be a decimal number")
  .transform(Number);

/** Returns the schema of a query parameter that is a number from `minimum` to `maximum`. */
export const decimalParameter = (minimum: number, maximum: number) =>
  decimalNumber.pipe(z.number().min(minimum).max(maximum)).openapi({ type: "number", minimum, maximum });

export const latitudeParameter = decimalParameter(-90, 90);
export const longitudeParameter = decimalParameter(-180, 180);
/** Accepts one meter to 20,100 km: no two points on Earth are farther apart. */
export const radiusKmParameter = decimalParameter(0.001, 20_100);

/** Returns the schema of the query parameter `limit`: how many items a list returns at most. */
export const limitParameter = (maximum: number, defaultLimit: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${maximum}`)
    .transform(Number)
    .pipe(z.number().min(1).max(maximum))
    .default(defaultLimit)
    .openapi({ type: "integer", minimum: 1, maximum, default: defaultLimit });

/** The query of a paginated list: `limit` and `cursor`. */
export const pageParameters = z.strictObject({
  limit: limitParameter(500, 50),
  cursor: z.string().min(1).max(512).optional(),
});

/** The path parameter `id`: the percent-encoded id of a user or product. */
export const idPath = z.object({ id: identifier });

/** The path parameter `id` of what Vicinity names: a recommendation, erasure, recalibration, key or dead-letter message. */
export const plainIdPath = z.object({ id: plainId });
