/** Returns the index of each name in a list, so that code addresses entries of a row by name. */
export const offsetsByName = <const Name extends string>(
  names: readonly Name[],
): Readonly<Record<Name, number>> =>
  Object.fromEntries(names.map((name, i) => [name, i])) as Record<Name, number>;
