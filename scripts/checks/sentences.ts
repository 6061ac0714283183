/** Returns the blocks of prose of a document: paragraphs, list items and table cells, without code and headings. */
function blocksOf(markdown: string): string[] {
  const blocks: string[] = [];
  let paragraph = "";
  const endParagraph = (): void => {
    blocks.push(paragraph);
    paragraph = "";
  };
  const plain = markdown
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<[^>]+>/g, " ");
  for (const line of plain.split("\n")) {
    if (/^\s*$|^#|^---/.test(line)) endParagraph();
    else if (/^\s*\|/.test(line)) {
      endParagraph();
      blocks.push(...line.split(/(?<!\\)\|/));
    } else if (/^\s*([-*>]|\d+\.)\s/.test(line)) {
      endParagraph();
      paragraph = line.replace(/^\s*([-*>]|\d+\.)\s/, "");
    } else paragraph += ` ${line.trim()}`;
  }
  endParagraph();
  return blocks;
}

/** Returns the sentences of a block, each as its words. Code counts as one word, a link as its text. */
const sentencesOf = (block: string): string[][] =>
  block
    .replace(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replace(/`[^`]*`/g, "code")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\b(e\.g|i\.e|vs|etc|et al)\./g, "$1")
    .split(/(?<=[.!?])["')*_]*\s+/)
    .map((sentence) => sentence.split(/\s+/).filter((word) => /[A-Za-z]/.test(word)))
    .filter((words) => words.length > 0);

/** Returns the sentences of a Markdown document, each as its words. */
export const sentencesIn = (markdown: string): string[][] => blocksOf(markdown).flatMap(sentencesOf);

/** Returns the upper median of the values; 0 without values. */
export const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Matches code in a document that is a path of this repository: it begins with one of these folders. */
const folders =
  /^(shared|workers|durable-objects|model|migrations|scripts|bench|test|web|client|docs)\/[\w./-]*$/;

/** Returns the paths of this repository that a document names: targets of links, and code that is a path. */
export function pathsIn(markdown: string): Set<string> {
  const links = [...markdown.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)].map(([, path]) => path);
  const code = [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\s]+)`/g)].map(
    ([, name]) => name,
  );
  return new Set([...links, ...code.filter((name) => folders.test(name))]);
}
