// Fails where a document reads hard: a sentence of more than 40 words, a median above 18 words, a file that is too long, or a
// path that does not exist. `--list` prints the figures of every document, `--long` its longest sentences.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../workers.ts";

const maxWords = 40;
const maxMedian = 18;
/** Lines that a document may have at most. */
const maxLines: Readonly<Record<string, number>> = { "README.md": 200, "ARCHITECTURE.md": 300 };
const maxDecisionLines = 40;

const documents = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "");

/** The prose of a document, a block each: paragraphs, items of lists and cells of tables, without code and headings. */
function blocksOf(markdown: string): string[] {
  const blocks: string[] = [];
  let paragraph = "";
  const end = (): void => {
    blocks.push(paragraph);
    paragraph = "";
  };
  const plain = markdown
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<[^>]+>/g, " ");
  for (const line of plain.split("\n")) {
    if (/^\s*$|^#|^---/.test(line)) end();
    else if (/^\s*\|/.test(line)) {
      end();
      blocks.push(...line.split(/(?<!\\)\|/));
    } else if (/^\s*([-*>]|\d+\.)\s/.test(line)) {
      end();
      paragraph = line.replace(/^\s*([-*>]|\d+\.)\s/, "");
    } else paragraph += ` ${line.trim()}`;
  }
  end();
  return blocks;
}

/** Sentences of a block, each as its words. Code counts as one word, a link as its text. */
const sentencesOf = (block: string): string[][] =>
  block
    .replace(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replace(/`[^`]*`/g, "code")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\b(e\.g|i\.e|vs|etc|et al)\./g, "$1")
    .split(/(?<=[.!?])["')*_]*\s+/)
    .map((sentence) => sentence.split(/\s+/).filter((word) => /[A-Za-z]/.test(word)))
    .filter((words) => words.length > 0);

const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const problems: string[] = [];
for (const file of documents) {
  const text = readFileSync(join(root, file), "utf8");
  const lines = text.split("\n").length - 1;
  const sentences = blocksOf(text).flatMap(sentencesOf);
  // Labels in tables and lists are no sentences: what has fewer than four words says nothing of how hard a page reads.
  const lengths = sentences.map(({ length }) => length).filter((length) => length > 3);
  const longest = Math.max(0, ...lengths);
  if (process.argv.includes("--list"))
    console.log(
      `${file}: ${lines} lines, ${lengths.length} sentences, median ${median(lengths)}, longest ${longest}`,
    );
  if (process.argv.includes("--long"))
    for (const words of sentences) if (words.length > maxWords) console.log(`${file}: ${words.join(" ")}\n`);
  if (median(lengths) > maxMedian)
    problems.push(`${file}: the median sentence has ${median(lengths)} words, at most ${maxMedian}`);
  const tooLong = lengths.filter((length) => length > maxWords).length;
  if (tooLong > 0)
    problems.push(`${file}: ${tooLong} sentences have more than ${maxWords} words, the longest ${longest}`);
  const bound =
    maxLines[file] ?? (/^docs\/decisions\/\d/.test(file) ? maxDecisionLines : Number.POSITIVE_INFINITY);
  if (lines > bound) problems.push(`${file}: ${lines} lines, at most ${bound}`);
  for (const path of pathsIn(text)) {
    const found = [join(root, path), join(root, dirname(file), path)].some((each) => existsSync(each));
    if (!found) problems.push(`${file}: ${path} does not exist`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** Paths of this repository that a document names: targets of links, and code that looks like a path. */
function pathsIn(markdown: string): Set<string> {
  const links = [...markdown.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)].map(([, path]) => path);
  const code = [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\s]+)`/g)].map(
    ([, each]) => each,
  );
  const folders =
    /^(shared|workers|durable-objects|model|migrations|scripts|bench|test|web|client|docs)\/[\w./-]*$/;
  return new Set([...links, ...code.filter((each) => folders.test(each))]);
}
