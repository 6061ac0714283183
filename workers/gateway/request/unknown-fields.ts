/**
 * Returns the dotted paths of all fields of `input` that are missing in `parsed`, the value that a schema made of it. A
 * caller can thus report an unknown field instead of dropping it.
 */
export function unknownFields(input: unknown, parsed: unknown, path: readonly string[] = []): string[] {
  if (typeof input !== "object" || input === null) return [];
  if (typeof parsed !== "object" || parsed === null) return [];
  return Object.entries(input).flatMap(([name, value]) => {
    const fieldPath = [...path, name];
    return Object.hasOwn(parsed, name)
      ? unknownFields(value, Reflect.get(parsed, name), fieldPath)
      : [fieldPath.join(".")];
  });
}
