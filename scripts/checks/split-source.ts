/**
 * The code and the comments of a source file. Each keeps the positions of the source: spaces replace everything else.
 */
export interface SplitSource {
  code: string;
  comments: string;
}

/**
 * Splits TypeScript or JavaScript into code and comments. Strings belong to neither; the expressions in a template
 * string are code. The character before a slash distinguishes a regular expression from a division.
 */
export function splitSource(source: string): SplitSource {
  // Split into code units, since the positions of a regular expression count code units.
  const code: string[] = source.split("");
  const comments: string[] = code.map((character) => (character === "\n" ? "\n" : " "));
  /** Depth of braces at which each open template string continues. */
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
  /** Blanks a template string up to its end or to its next expression. */
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

/** Returns the first index of `mark` from `start` on; the length of the text if there is none. */
function endOf(text: string, mark: string, start: number): number {
  const found = text.indexOf(mark, start);
  return found < 0 ? text.length : found;
}
