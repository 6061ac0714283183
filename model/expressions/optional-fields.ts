import type { AttributeTypes } from "../../shared/contracts/catalog-schema.ts";
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

/** Tables with attributes that an isolate keeps, for each table without: compiled expressions are kept by table. */
const maxTables = 64;

const tables = new WeakMap<FieldTable, Map<string, FieldTable>>();

/**
 * Returns a table of fields with the declared attributes of an application, as `product.attributes.NAME`. The same attributes
 * give the same table, while it is kept.
 */
export function withAttributes(fields: FieldTable, attributes: AttributeTypes): FieldTable {
  const declared = Object.entries(attributes);
  if (declared.length === 0) return fields;
  const kept = tables.get(fields) ?? new Map<string, FieldTable>();
  tables.set(fields, kept);
  const key = JSON.stringify(attributes);
  const table =
    kept.get(key) ??
    new Map([
      ...fields,
      ...declared.map(([name, type]): [string, Field] => [
        `product.attributes.${name}`,
        optionalField(attributeColumn(name), type, `The declared attribute ${name}.`),
      ]),
    ]);
  // A map keeps the order in which its keys were set.
  kept.delete(key);
  kept.set(key, table);
  const [oldest] = kept.keys();
  if (kept.size > maxTables) kept.delete(oldest);
  return table;
}
