/** Paths of what is in a value of JSON and not in what a schema took from it: an unknown field is reported, never dropped. */
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
