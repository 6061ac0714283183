/** Separates the names of a category's path, from the widest: `Drinks > Coffee`. */
export const pathSeparator = " > ";

/** Returns a category and those that contain it, the widest first: `Drinks` and `Drinks > Coffee`. */
export function withAncestors(category: string): string[] {
  const paths: string[] = [];
  for (let at = category.indexOf(pathSeparator); at >= 0; at = category.indexOf(pathSeparator, at + 1))
    if (at > 0) paths.push(category.slice(0, at));
  return [...paths, category];
}

/** Returns whether a category is one of `wanted`, or in one of them. */
export function isInCategories(category: string, wanted: ReadonlySet<string>): boolean {
  if (wanted.has(category)) return true;
  return category.includes(pathSeparator) && withAncestors(category).some((path) => wanted.has(path));
}

/** Returns the range of texts, without its end, that holds exactly the paths inside a category: `Drinks > ...` for `Drinks`. */
export function rangeInside(category: string): { from: string; end: string } {
  const from = category + pathSeparator;
  const last = from.length - 1;
  return { from, end: from.slice(0, last) + String.fromCharCode(from.charCodeAt(last) + 1) };
}
