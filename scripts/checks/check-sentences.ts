// Fails if a document is hard to read: a sentence above 40 words, a median above 18 words, too many lines, or a path
// that does not exist. `--list` prints the figures of every document, `--long` the sentences that are too long.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../workers.ts";
import { medianOf, pathsIn, sentencesIn } from "./sentences.ts";

const maxWords = 40;
const maxMedianWords = 18;
/** Texts with fewer words are labels in tables and lists. They are not sentences and do not count. */
const minWords = 4;
/** Lines that a document may have at most. */
const maxLines: Readonly<Record<string, number>> = { "README.md": 200, "ARCHITECTURE.md": 300 };
const maxDecisionLines = 40;
/** The changelog names paths of earlier versions. */
const withOldPaths = new Set(["CHANGELOG.md"]);

const documents = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));

const lineLimitOf = (file: string): number =>
  maxLines[file] ?? (/^docs\/decisions\/\d/.test(file) ? maxDecisionLines : Number.POSITIVE_INFINITY);

const problems: string[] = [];
for (const file of documents) {
  const text = readFileSync(join(root, file), "utf8");
  const lines = text.split("\n").length - 1;
  const sentences = sentencesIn(text).filter((words) => words.length >= minWords);
  const lengths = sentences.map((words) => words.length);
  const median = medianOf(lengths);
  const tooLong = sentences.filter((words) => words.length > maxWords);
  if (process.argv.includes("--list"))
    console.log(
      `${file}: ${lines} lines, ${lengths.length} sentences, median ${median}, longest ${Math.max(0, ...lengths)} words`,
    );
  if (process.argv.includes("--long"))
    for (const words of tooLong) console.log(`${file}: ${words.join(" ")}\n`);
  if (median > maxMedianWords)
    problems.push(`${file}: half of the sentences have ${median} words or more; at most ${maxMedianWords}`);
  for (const words of tooLong)
    problems.push(
      `${file}: "${words.slice(0, 8).join(" ")} ..." has ${words.length} words; at most ${maxWords}`,
    );
  if (lines > lineLimitOf(file)) problems.push(`${file}: ${lines} lines; at most ${lineLimitOf(file)}`);
  if (withOldPaths.has(file)) continue;
  for (const path of pathsIn(text))
    if (![root, join(root, dirname(file))].some((folder) => existsSync(join(folder, path))))
      problems.push(`${file}: ${path} does not exist`);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
