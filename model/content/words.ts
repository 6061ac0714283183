/** Runs of alphabetic characters, digits, and the marks that belong to them. */
const runs = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are written without spaces between words: there, two characters stand for a word. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
/** Accents of the Latin, Greek and Cyrillic scripts, which decomposition separates. Marks of other scripts tell words apart. */
const accents = /[\u0300-\u036f]/g;

/**
 * Returns the words of a text, in order and with repeats: in lower case, without accents. In scripts without spaces, each pair of
 * neighboring characters is a word.
 */
export function wordsOf(text: string): string[] {
  const plain = text.normalize("NFKC").toLowerCase();
  return (plain.match(runs) ?? []).flatMap((run) => {
    if (!unspaced.test(run)) return [run.normalize("NFKD").replace(accents, "")];
    const characters = [...run];
    return characters.length === 1
      ? [run]
      : characters.slice(1).map((character, i) => characters[i] + character);
  });
}
