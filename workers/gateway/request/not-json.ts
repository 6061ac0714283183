/** Characters of a text that is not JSON which its error shows: too few for an exact location. */
const maxShownCharacters = 12;

/**
 * Returns why a text is not JSON, with its first characters; null if it is JSON. The reason is the platform's, without the
 * part of the text that the platform quotes.
 */
export function whyNotJson(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    if (text.trim() === "") return "is empty";
    const [reason] = (error instanceof Error ? error.message : "").split(/, (?=[".])/);
    const shown = JSON.stringify(text.trim().slice(0, maxShownCharacters).toWellFormed());
    return `is not JSON; it begins with ${shown}${reason ? `: ${reason}` : ""}`;
  }
}
