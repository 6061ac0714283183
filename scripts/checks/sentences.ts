/** Returns the prose of a document, a block each: paragraphs, items of lists and cells of tables, without code and headings. */
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

/** Returns the upper median of some numbers; 0 for none. */
export const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Folders of this repository by which code in a document is known as a path. */
const folders =
  /^(shared|workers|durable-objects|model|migrations|scripts|bench|test|web|client|docs)\/[\w./-]*$/;

/** Returns the paths of this repository that a document names: targets of its links, and code that looks like a path. */
export function pathsIn(markdown: string): Set<string> {
  const links = [...markdown.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)].map(([, path]) => path);
  const code = [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\s]+)`/g)].map(
    ([, name]) => name,
  );
  return new Set([...links, ...code.filter((name) => folders.test(name))]);
}
