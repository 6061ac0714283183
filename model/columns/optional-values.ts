import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import type { Columns } from "./columns.ts";
import { noString } from "./layout.ts";
import { booleanValue, isNone, type OptionalColumn, type OptionalType } from "./optional-columns.ts";

/**
 * Returns the optional column of a name and a type; null if no row of the block has a value. While a changed schema is
 * published, a block may hold values of an attribute under its earlier type too, in a column of that type.
 */
export function optionalColumn<Type extends OptionalType>(
  columns: Columns,
  name: string,
  type: Type,
): Extract<OptionalColumn, { type: Type }> | null;
export function optionalColumn(columns: Columns, name: string, type: OptionalType): OptionalColumn | null {
  return columns.optional.find((each) => each.name === name && each.type === type) ?? null;
}

/** Returns the string of a row in an optional column; null for none. */
export function optionalString(columns: Columns, name: string, row: number): string | null {
  const index = optionalColumn(columns, name, "string")?.values[row] ?? noString;
  return index === noString ? null : columns.strings[index];
}

/** Returns the number, or the time in seconds since the epoch, of a row in an optional column; null for none. */
export function optionalNumber(
  columns: Columns,
  name: string,
  type: "number" | "time",
  row: number,
): number | null {
  const value = optionalColumn(columns, name, type)?.values[row] ?? Number.NaN;
  return Number.isNaN(value) ? null : value;
}

/** Returns the strings of a row in an optional column of lists. */
export function optionalList(columns: Columns, name: string, row: number): string[] {
  const column = optionalColumn(columns, name, "list");
  if (!column) return [];
  return Array.from(
    column.items.subarray(column.starts[row], column.starts[row + 1]),
    (index) => columns.strings[index],
  );
}

/** Returns all values of a row in optional columns. */
export const columnValuesOfRow = (columns: Columns, row: number): ColumnValue[] =>
  columns.optional.flatMap((column): ColumnValue[] => {
    const { name, type } = column;
    if (type === "list") {
      const value = optionalList(columns, name, row);
      return value.length > 0 ? [{ name, type, value }] : [];
    }
    const element = column.values[row];
    if (isNone(type, element)) return [];
    if (type === "string") return [{ name, type, value: columns.strings[element] }];
    return [
      type === "boolean"
        ? { name, type, value: element === booleanValue.yes }
        : { name, type, value: element },
    ];
  });
