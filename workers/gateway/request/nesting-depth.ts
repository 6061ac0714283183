const [quote, backslash] = ['"', "\\"].map((character) => character.charCodeAt(0));
const opening = new Set(["[", "{"].map((character) => character.charCodeAt(0)));
const closing = new Set(["]", "}"].map((character) => character.charCodeAt(0)));

/** Levels of arrays and objects that JSON may have: twice what any operation needs. */
export const maxNestingDepth = 10;

/**
 * Returns whether a JSON text nests deeper than `maxDepth` levels. For a text that is not JSON, the result is
 * arbitrary.
 */
export function exceedsNestingDepth(text: string, maxDepth = maxNestingDepth): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) quoted = !quoted;
    else if (quoted) {
      if (code === backslash) i++;
    } else if (opening.has(code)) {
      if (++depth > maxDepth) return true;
    } else if (closing.has(code)) depth--;
  }
  return false;
}
