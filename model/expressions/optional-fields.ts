import { attributeColumn, type OptionalType } from "../columns/optional-columns.ts";
import { optionalColumn } from "../columns/optional-values.ts";
import type { Field, FieldTable, NumberReader } from "./field.ts";

/** Returns the field that reads a column which only some blocks have. `isPath` is for a list of paths of categories. */
export function optionalField(
  column: string,
  type: OptionalType,
  description: string,
  isPath = false,
): Field {
  switch (type) {
    case "number":
    case "time":
      return {
        ...{ kind: "numbers", type, description },
        numbers: (columns): NumberReader | null => {
          const found = optionalColumn(columns, column, type);
          return found && ((start, count) => found.values.subarray(start, start + count));
        },
      };
    case "string":
      return {
        ...{ kind: "strings", type, description },
        indices: (columns) => optionalColumn(columns, column, type)?.values ?? null,
      };
    case "boolean":
      return {
        ...{ kind: "flags", type, description },
        flags: (columns) => optionalColumn(columns, column, type)?.values ?? null,
      };
    case "list":
      return {
        ...{ kind: "lists", type, description, isPath },
        lists: (columns) => optionalColumn(columns, column, type),
      };
  }
}

/** The types of declared attributes that expressions may read, by their names. */
export type AttributeTypes = Readonly<Record<string, OptionalType>>;

/** Returns a table of fields with the declared attributes of an application, as `product.attributes.NAME`. */
export const withAttributes = (fields: FieldTable, attributes: AttributeTypes): FieldTable =>
  new Map([
    ...fields,
    ...Object.entries(attributes).map(([name, type]): [string, Field] => [
      `product.attributes.${name}`,
      optionalField(attributeColumn(name), type, `The declared attribute ${name}.`),
    ]),
  ]);
