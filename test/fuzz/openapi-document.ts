import * as z from "zod";

/** The keywords of JSON Schema that the document uses. */
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

/** The part of `/openapi.json` from which requests are generated and against which responses are checked. */
export const openApiDocument = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(methods), operation)),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});
export type OpenApiDocument = z.infer<typeof openApiDocument>;

/** An operation of the document; `name` is method and path. */
export interface OpenApiOperation extends z.infer<typeof operation> {
  name: string;
  method: string;
  path: string;
}

/** Returns all operations in the order of the document. */
export const listOperations = ({ paths }: OpenApiDocument): OpenApiOperation[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = item[method];
      return found
        ? [{ ...found, name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path }]
        : [];
    }),
  );

/** Returns the schema that a reference names, or the schema itself if it is no reference. */
export function resolveSchema({ components }: OpenApiDocument, { $ref, ...own }: JsonSchema): JsonSchema {
  return $ref === undefined ? own : components.schemas[$ref.split("/").at(-1) ?? ""];
}
