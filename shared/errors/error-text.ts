/**
 * What logs and causes say of an error: its name and the first line of its message. What follows may be the values of a query,
 * and an error of reading quotes what it read: both may be of people.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { name, message } = error;
  return name === "SyntaxError" ? name : `${name}: ${message.split("\n")[0]}`;
}
