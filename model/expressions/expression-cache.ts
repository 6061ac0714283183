import { type Compilation, compileExpression } from "./compile-expression.ts";
import type { FieldTable } from "./field.ts";

/** Expressions that an isolate keeps, for each table of fields: a few kB each. */
const maxKept = 256;

const compilations = new WeakMap<FieldTable, Map<string, Compilation>>();

/**
 * Returns what {@link compileExpression} returns, from the isolate's memory if it was compiled lately. The expression that
 * was not used for the longest time makes room for a new one. Errors are kept too.
 */
export function cachedExpression(source: string, fields: FieldTable): Compilation {
  let kept = compilations.get(fields);
  if (!kept) {
    kept = new Map();
    compilations.set(fields, kept);
  }
  const compilation = kept.get(source) ?? compileExpression(source, fields);
  // A map keeps the order in which its keys were set.
  kept.delete(source);
  kept.set(source, compilation);
  if (kept.size > maxKept) {
    const [oldest] = kept.keys();
    kept.delete(oldest);
  }
  return compilation;
}
