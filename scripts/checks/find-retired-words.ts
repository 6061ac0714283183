import { allowedIdentifiers, retiredIdentifiers, retiredPrefixes, retiredWords } from "./retired-words.ts";
import { splitSource } from "./split-source.ts";

/** A use of a retired word: its line from 1, the word as written, and what to say instead. */
export interface RetiredUse {
  line: number;
  word: string;
  say: string;
}

const sayByPart = new Map(
  retiredWords.flatMap(({ say, identifiers }) => identifiers.map((word) => [word, say] as const)),
);
const prosePatterns = retiredWords.flatMap(({ say, prose }) =>
  prose === null ? [] : [{ say, pattern: new RegExp(`(?<![\\w-])(?:${prose})(?![\\w-])`, "gi") }],
);

/** Returns the words of an identifier, in lower case: `deadLetterId` has `dead`, `letter` and `id`. */
const partsOf = (identifier: string): string[] =>
  identifier
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[\s_$#]+/)
    .map((part) => part.toLowerCase());

/** Pairs of words that are terms of their own, though one of them is retired. */
const terms: readonly (readonly [string, string])[] = [
  ["dead", "letter"],
  ["dead", "letters"],
  ["half", "lives"],
  ["all", "settled"],
];

/** Returns what to say instead of an identifier; null for an identifier that may stay. */
export function insteadOf(identifier: string): string | null {
  if (Object.hasOwn(allowedIdentifiers, identifier)) return null;
  if (Object.hasOwn(retiredIdentifiers, identifier)) return retiredIdentifiers[identifier];
  for (const { prefix, say } of retiredPrefixes)
    if (identifier.startsWith(prefix) && /^[A-Z]/.test(identifier.slice(prefix.length)))
      return `${say}${identifier.slice(prefix.length)}`;
  const parts = partsOf(identifier);
  for (const [i, part] of parts.entries()) {
    const say = sayByPart.get(part);
    if (say !== undefined && !terms.some(([first, second]) => parts[i - 1] === first && part === second))
      return say;
  }
  return null;
}

/**
 * Returns the retired words of a file: first in identifiers of a source file, then in its comments or in the text of a
 * document. The ending of `path` distinguishes sources (`.ts`, `.js`, `.mjs`) from documents.
 */
export function findRetiredWords(path: string, text: string): RetiredUse[] {
  const { code, comments } = /\.(ts|mjs|js)$/.test(path)
    ? splitSource(text)
    : { code: "", comments: withoutCode(text) };
  // Code in a comment may name fields of the API and identifiers of libraries.
  const prose = comments.replace(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
  const lineOf = (index: number): number => text.slice(0, index).split("\n").length;
  const uses: RetiredUse[] = [];
  for (const { 0: word, index } of code.matchAll(/[A-Za-z_$#][\w$]*/g)) {
    const say = insteadOf(word);
    if (say !== null) uses.push({ line: lineOf(index), word, say });
  }
  for (const { say, pattern } of prosePatterns)
    for (const { 0: word, index } of prose.matchAll(pattern))
      if (!/dead[- ]$/i.test(prose.slice(Math.max(0, index - 5), index)))
        uses.push({ line: lineOf(index), word, say });
  return uses;
}

/** Replaces the code and addresses of a document by spaces; every other character keeps its position. */
function withoutCode(markdown: string): string {
  const blank = (match: string): string => match.replace(/[^\n]/g, " ");
  return markdown
    .replace(/```[\s\S]*?```/g, blank)
    .replace(/`[^`\n]*`/g, blank)
    .replace(/\]\([^)]*\)/g, blank)
    .replace(/https?:\S+/g, blank);
}
