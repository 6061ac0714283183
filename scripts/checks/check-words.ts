// Fails where a retired word comes back, as a part of an identifier or in a document or comment: see retired-words.ts.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workers.ts";
import { allowedIdentifiers, retiredIdentifiers, retiredPrefixes, retiredWords } from "./retired-words.ts";
import { splitSource } from "./split-source.ts";

const generated =
  /worker-configuration\.d\.ts$|^model\/onnx\/generated\/|^scripts\/checks\/retired-words|^migrations\//;
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => /\.(ts|mjs|js|md|html)$/.test(file) && !generated.test(file));

const sayInstead = new Map(
  retiredWords.flatMap(({ say, identifiers }) => identifiers.map((word) => [word, say])),
);
const prose = retiredWords.flatMap(({ say, prose: words }) =>
  words === null ? [] : [{ say, pattern: new RegExp(`(?<![\\w-])(?:${words})(?![\\w-])`, "gi") }],
);

/** The words of an identifier, in lower case: `deadLetterId` has `dead`, `letter` and `id`. */
const partsOf = (identifier: string): string[] =>
  identifier
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[\s_$#]+/)
    .map((part) => part.toLowerCase());

/** Why an identifier is refused, or null. */
function retiredIn(identifier: string): string | null {
  if (Object.hasOwn(allowedIdentifiers, identifier)) return null;
  if (Object.hasOwn(retiredIdentifiers, identifier)) return retiredIdentifiers[identifier];
  for (const { prefix, say } of retiredPrefixes)
    if (identifier.startsWith(prefix) && /^[A-Z]/.test(identifier.slice(prefix.length))) return say;
  const parts = partsOf(identifier);
  for (const [i, part] of parts.entries()) {
    // A dead-letter message is the platform's own word.
    if (/^letters?$/.test(part) && parts[i - 1] === "dead") continue;
    const say = sayInstead.get(part);
    if (say !== undefined) return say;
  }
  return null;
}

const found: string[] = [];
for (const file of files) {
  const text = readFileSync(join(root, file), "utf8");
  const isSource = /\.(ts|mjs|js)$/.test(file);
  const { code, comments } = isSource ? splitSource(text) : { code: "", comments: withoutCode(text) };
  const lineOf = (index: number): number => text.slice(0, index).split("\n").length;
  for (const match of code.matchAll(/[A-Za-z_$#][\w$]*/g)) {
    const say = retiredIn(match[0]);
    if (say !== null) found.push(`${file}:${lineOf(match.index)}: \`${match[0]}\`: say ${say}`);
  }
  for (const { say, pattern } of prose)
    for (const match of comments.matchAll(pattern)) {
      if (/dead[- ]$/i.test(comments.slice(0, match.index).slice(-5))) continue;
      found.push(`${file}:${lineOf(match.index)}: "${match[0]}": say ${say}`);
    }
}
for (const line of found) console.error(line);
process.exit(found.length === 0 ? 0 : 1);

/** A document with its code and addresses blanked out, every other character in its place. */
function withoutCode(markdown: string): string {
  const blank = (match: string): string => match.replace(/[^\n]/g, " ");
  return markdown
    .replace(/```[\s\S]*?```/g, blank)
    .replace(/`[^`\n]*`/g, blank)
    .replace(/\]\([^)]*\)/g, blank)
    .replace(/https?:\S+/g, blank);
}
