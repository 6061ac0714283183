/** What separates the parts of a path of categories. */
const separator = " > ";

/** Returns whether a path is another one or lies below it: `Drinks > Coffee` lies below `Drinks`. */
export const includesPath = (path: string, above: string): boolean =>
  path === above || path.startsWith(above + separator);
