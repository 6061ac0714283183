/** Bytes of UTF-8 that an identifier may have. */
export const maxIdentifierBytes = 128;

/**
 * Matches what an identifier may contain, for the OpenAPI document. It needs the flag `u`, and cannot count bytes.
 * {@link identifierProblem} has the rules.
 */
export const identifierPattern = /^(?!\.{1,2}$)[^\p{C}\p{Z}](?:[ \u200c\u200d]*[^\p{C}\p{Z}])*$/u;

/** Most identifiers match this pattern and need no further test. */
const plainPattern = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/;
const unprintable = /[\p{C}\p{Z}]/gu;
/**
 * Characters that may stand between printable ones: the space, and the zero-width non-joiner and joiner, without which
 * some words and emoji cannot be written.
 */
const inner = [" ", "\u200c", "\u200d"];
const rule = `must be 1-${maxIdentifierBytes} bytes of printable Unicode in UTF-8`;
const encoder = new TextEncoder();

/** Returns a character as its code point, for example `U+0007`. */
const codePointOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/**
 * Returns why a text is no identifier, with what was found; null for an identifier. An identifier has 1 to 128 bytes of
 * UTF-8. Its characters are printable, which means not of the Unicode categories C (control, format, surrogate, private,
 * unassigned) and Z (separators). Between them it may have spaces and zero-width joiners. It is not `.` or `..`, since a
 * URL path cannot contain these as a part. Identifiers are compared byte by byte, without Unicode normalization.
 */
export function identifierProblem(text: string): string | null {
  if (plainPattern.test(text)) return null;
  const bytes = encoder.encode(text).byteLength;
  if (bytes === 0) return `${rule}; got an empty text`;
  if (bytes > maxIdentifierBytes) return `${rule}; got ${bytes} bytes`;
  if (text === "." || text === "..") return `${rule}, but not \`.\` or \`..\`; got \`${text}\``;
  for (const { 0: character, index } of text.matchAll(unprintable))
    if (!inner.includes(character) || index === 0 || index === text.length - 1)
      return `${rule}; got ${codePointOf(character)} at position ${index + 1} of ${text.length}`;
  return null;
}
