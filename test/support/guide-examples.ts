import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A request of a guide, and the parts of its answer that the guide shows. */
export interface GuideExample {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
  answer?: unknown;
}

const headerPattern = /^([a-z-]+): (.*)$/;

/**
 * Returns the examples of a guide: each block `http`, with the block `json` that follows it. A block has a line with method
 * and path, lines of headers, and a body.
 */
export function guideExamples(guide: string): GuideExample[] {
  const text = readFileSync(join(import.meta.dirname, `../../docs/guides/${guide}.md`), "utf8");
  const examples: GuideExample[] = [];
  for (const [, language, content] of text.matchAll(/^```(http|json)\n(.*?)^```$/gms)) {
    if (language === "json") {
      const example = examples.at(-1);
      if (!example || example.answer !== undefined)
        throw new Error(`an answer without a request: ${content}`);
      example.answer = JSON.parse(content);
      continue;
    }
    const [line, ...rest] = content.split("\n");
    const [method, path] = line.split(" ");
    const headers = rest.flatMap((each) => {
      const [, name, value] = headerPattern.exec(each) ?? [];
      return name === undefined ? [] : [[name, value]];
    });
    const body = rest.slice(headers.length).join("\n").trim();
    examples.push({
      ...{ method, path, headers: Object.fromEntries(headers) },
      ...(body === "" ? {} : { body }),
    });
  }
  return examples;
}

/**
 * Returns where an answer differs from what a guide shows, as paths; none if it has all that is shown. The guide shows
 * some fields, and the first items of lists; `…` stands for any text, and a number with a fraction for any number.
 */
export function differencesFrom(shown: unknown, found: unknown, path = "answer"): string[] {
  if (typeof shown === "string" && typeof found === "string") {
    const parts = shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(found) ? [] : [`${path}: ${found}`];
  }
  if (typeof shown === "number" && !Number.isInteger(shown) && typeof found === "number") return [];
  if (Array.isArray(shown) && shown.length === 0 && Array.isArray(found) && found.length > 0)
    return [`${path}: ${JSON.stringify(found)}`];
  if (typeof shown !== "object" || shown === null || typeof found !== "object" || found === null)
    return shown === found ? [] : [`${path}: ${JSON.stringify(found)}`];
  return Object.entries(shown).flatMap(([name, value]) =>
    differencesFrom(value, Reflect.get(found, name), `${path}.${name}`),
  );
}
