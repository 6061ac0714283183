import { wordsOf } from "./words.ts";

/**
 * Returns how like each of `texts` is to `query`, 0 to 1: the cosine of their words, weighted by the logarithm of how rare a word is
 * among the texts (TF-IDF: Salton and Buckley, "Term-weighting Approaches in Automatic Text Retrieval", IPM 24, 1988). A text
 * counts a word once. Words that all texts share count little, so they make no text like another.
 */
export function textLikenesses(query: string, texts: readonly string[]): number[] {
  const wordSets = texts.map((text) => new Set(wordsOf(text)));
  const textsWith = new Map<string, number>();
  for (const words of wordSets) for (const word of words) textsWith.set(word, (textsWith.get(word) ?? 0) + 1);
  const rarity = (word: string): number => Math.log((1 + texts.length) / (0.5 + (textsWith.get(word) ?? 0)));
  const squared = (words: Iterable<string>): number => {
    let sum = 0;
    for (const word of words) sum += rarity(word) ** 2;
    return sum;
  };
  const asked = new Set(wordsOf(query));
  const askedSquared = squared(asked);
  return wordSets.map((words) => {
    let shared = 0;
    for (const word of words) if (asked.has(word)) shared += rarity(word) ** 2;
    return shared === 0 ? 0 : shared / Math.sqrt(askedSquared * squared(words));
  });
}
