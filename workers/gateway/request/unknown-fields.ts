/** Paths of what is in a value of JSON and not in what a schema took from it: an unknown field is reported, never dropped. */
export function unknownFields(given: unknown, taken: unknown, path: readonly string[] = []): string[] {
  if (typeof given !== "object" || given === null) return [];
  if (typeof taken !== "object" || taken === null) return [];
  return Object.entries(given).flatMap(([name, value]) => {
    const here = [...path, name];
    return Object.hasOwn(taken, name)
      ? unknownFields(value, Reflect.get(taken, name), here)
      : [here.join(".")];
  });
}
