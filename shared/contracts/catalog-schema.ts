import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { instant } from "./primitives.ts";

/** Attributes that a schema declares, and of those that are filterable, at most. */
export const maxDeclaredAttributes = 64;
export const maxFilterableAttributes = 16;
/** Characters of a text, and texts of a list, in a declared attribute. They are in the dictionary of each tile. */
export const maxDeclaredText = 128;
export const maxDeclaredItems = 16;

/** Type of a declared attribute. A time is ISO 8601, a list is one of texts. */
export const attributeType = z.enum(["string", "number", "boolean", "time", "list"]);
export type AttributeType = z.infer<typeof attributeType>;

/** Name of a declared attribute: filters can name it. */
export const attributeName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, "must be a letter, then at most 63 letters, digits or underscores");

/** The types of the filterable attributes of an application, by name: expressions may read them. */
export const attributeTypes = z.record(attributeName, attributeType);
export type AttributeTypes = Readonly<z.infer<typeof attributeTypes>>;

export const declaredAttribute = nullIsAbsent(
  z.strictObject({
    type: attributeType,
    filterable: z.boolean().default(false).meta({
      description: "Whether filters can name the attribute: then its values are a column of each map tile.",
    }),
  }),
);
export type DeclaredAttribute = z.infer<typeof declaredAttribute>;

/** Body of `PUT /v1/catalog/schema`. Attributes that it does not name are stored and returned, and mean nothing. */
export const catalogSchemaInput = z
  .strictObject({ attributes: z.record(attributeName, declaredAttribute) })
  .superRefine(({ attributes }, context) => {
    const declared = Object.values(attributes);
    const report = (message: string) => context.addIssue({ code: "custom", path: ["attributes"], message });
    if (declared.length > maxDeclaredAttributes)
      report(`must declare at most ${maxDeclaredAttributes} attributes; got ${declared.length}`);
    const filterable = declared.filter((each) => each.filterable).length;
    if (filterable > maxFilterableAttributes)
      report(`must declare at most ${maxFilterableAttributes} filterable attributes; got ${filterable}`);
  });
export type CatalogSchemaInput = z.infer<typeof catalogSchemaInput>;

/** The declared attributes of an application, and how far the job is that publishes their columns. */
export const catalogSchema = z.object({
  /** Grows by one with each change; 0 if none was ever declared. */
  version: z.number().int(),
  attributes: z.record(attributeName, declaredAttribute),
  publication: z.object({
    /** `running` while map tiles may still have columns of the schema before. */
    status: z.enum(["running", "done"]),
    /** Products that the job has looked at, and of those it has sent to the map again. */
    checked: z.number().int(),
    published: z.number().int(),
  }),
  /** Null if none was ever declared. */
  updatedAt: instant.nullable(),
});
export type CatalogSchema = z.infer<typeof catalogSchema>;

/** The schema of an application that never declared an attribute. */
export const noCatalogSchema: CatalogSchema = {
  version: 0,
  attributes: {},
  publication: { status: "done", checked: 0, published: 0 },
  updatedAt: null,
};

/** Returns the types of the filterable attributes of a schema. */
export const filterableTypes = ({ attributes }: Pick<CatalogSchema, "attributes">): AttributeTypes =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, { type, filterable }]) => (filterable ? [[name, type]] : [])),
  );
