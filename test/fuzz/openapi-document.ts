import { z } from "zod";

/** A JSON schema, as far as the document uses it. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

const schema = z.custom<JsonSchema>((value) => typeof value === "object" && value !== null);
const content = z.record(z.string(), z.object({ schema: schema.optional() }));
const operation = z.object({
  parameters: z
    .array(
      z.object({ name: z.string(), in: z.enum(["path", "query"]), required: z.boolean().optional(), schema }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.optional() })),
});
const methods = ["get", "put", "post", "patch", "delete"] as const;

/** The part of `/openapi.json` that requests are made from and answers are judged by. */
export const openApiDocument = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(methods), operation)),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});
export type OpenApiDocument = z.infer<typeof openApiDocument>;

/** An operation of the document. */
export interface OpenApiOperation extends z.infer<typeof operation> {
  name: string;
  method: string;
  path: string;
}

/** All operations, in the order of the document. */
export const listOperations = ({ paths }: OpenApiDocument): OpenApiOperation[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = item[method];
      return found
        ? [{ ...found, name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path }]
        : [];
    }),
  );

/** The schema behind a reference. */
export function resolveSchema({ components }: OpenApiDocument, { $ref, ...own }: JsonSchema): JsonSchema {
  return $ref === undefined ? own : components.schemas[$ref.split("/").at(-1) ?? ""];
}
