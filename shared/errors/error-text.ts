/**
 * Returns the text of an error that is safe to log: its name and the first line of its message. Later lines may contain
 * the values of a query, and a `SyntaxError` quotes the text that it parsed. Both may contain users' data.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { name, message } = error;
  return name === "SyntaxError" ? name : `${name}: ${message.split("\n")[0]}`;
}
