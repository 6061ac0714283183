/** Code and comments of a source file, each with the other, and texts, blanked out: every character stays in its place. */
export interface SplitSource {
  code: string;
  comments: string;
}

/**
 * Splits TypeScript or JavaScript into code and comments. Texts belong to neither; what a template text embeds is code.
 * A regular expression is told from a division by what stands before it.
 */
export function splitSource(source: string): SplitSource {
  // By code units, as the positions of a regular expression are.
  const code: string[] = source.split("");
  const comments: string[] = code.map((character) => (character === "\n" ? "\n" : " "));
  /** Depth of braces at which each open template text goes on. */
  const templates: number[] = [];
  let depth = 0;
  let before = "";
  let i = 0;

  const blank = (to: number): void => {
    for (const end = Math.min(to, source.length); i < end; i++) if (code[i] !== "\n") code[i] = " ";
  };
  const comment = (to: number): void => {
    for (let at = i; at < Math.min(to, source.length); at++) comments[at] = source[at];
    blank(to);
  };
  /** Blanks a template text up to its end or to what it embeds. */
  const template = (): void => {
    let end = i;
    while (end < source.length && source[end] !== "`" && !source.startsWith("${", end))
      end += source[end] === "\\" ? 2 : 1;
    if (source[end] === "`") {
      blank(end + 1);
      before = "text";
      return;
    }
    blank(end + 2);
    templates.push(depth++);
    before = "{";
  };

  while (i < source.length) {
    const rest = source.slice(i, i + 2);
    const character = source[i];
    if (rest === "//") comment(endOf(source, "\n", i));
    else if (rest === "/*") comment(endOf(source, "*/", i) + 2);
    else if (character === '"' || character === "'") {
      let end = i + 1;
      while (end < source.length && source[end] !== character) end += source[end] === "\\" ? 2 : 1;
      blank(end + 1);
      before = "text";
    } else if (character === "`") {
      blank(i + 1);
      template();
    } else if (character === "}" && templates.at(-1) === depth - 1) {
      templates.pop();
      depth--;
      blank(i + 1);
      template();
    } else if (character === "/" && !/[\w$)\]]|text/.test(before)) {
      const literal = /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/.exec(source.slice(i, i + 2000));
      blank(i + (literal?.[0].length ?? 1));
      before = "text";
    } else {
      if (character === "{") depth++;
      if (character === "}") depth--;
      if (/\S/.test(character)) before = character;
      i++;
    }
  }
  return { code: code.join(""), comments: comments.join("") };
}

/** Index of `mark` from `start` on; the end of the text where there is none. */
function endOf(text: string, mark: string, start: number): number {
  const found = text.indexOf(mark, start);
  return found < 0 ? text.length : found;
}
