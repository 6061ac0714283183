/** A row of a table file. */
export interface Row {
  /** Number of the row's first line in the file, from 1. */
  line: number;
  cells: string[];
  /** The row as the file has it. */
  raw: string;
  /** Why the cells cannot be told apart; null where they can. */
  problem: string | null;
}

/** What stands between two cells. */
export type Separator = "\t" | "," | ";" | "|";

/** Names of the separators, for reports. */
export const separatorNames: Record<Separator, string> = {
  "\t": "tabs",
  ",": "commas",
  ";": "semicolons",
  "|": "vertical bars",
};

/** Lines over which one quoted cell may extend. */
const maxLinesOfCell = 200;

/**
 * Returns the separator of a header: a tab if it has one, else the most frequent of comma, semicolon and vertical bar
 * outside quotes. A header without any is a table of one column.
 */
export function detectSeparator(header: string): Separator {
  const plain = header.replaceAll(/"[^"]*"/g, "");
  if (plain.includes("\t")) return "\t";
  const count = (separator: string): number => plain.split(separator).length;
  return ([",", ";", "|"] as const).reduce((best, each) => (count(each) > count(best) ? each : best));
}

/**
 * Returns the cells of a row by RFC 4180; `open` if a quote is open at its end, and `malformed` if text follows a closing
 * quote.
 */
export function splitQuotedRow(text: string, separator: string): string[] | "open" | "malformed" {
  if (!text.includes('"')) return text.split(separator);
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let cell = "";
    const isQuoted = text[at] === '"';
    if (isQuoted) {
      for (at++; ; ) {
        const quote = text.indexOf('"', at);
        if (quote < 0) return "open";
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    }
    const end = text.indexOf(separator, at);
    const plain = text.slice(at, end < 0 ? undefined : end);
    if (isQuoted && plain.trim() !== "") return "malformed";
    cells.push(isQuoted ? cell : plain);
    if (end < 0) return cells;
    at = end + separator.length;
  }
}

/**
 * Returns a cell of an atomic file, which has no quotes of its own. Only a cell that a CSV writer has quoted, since it
 * holds a quote, loses its outer quotes: `"12"" pan"` is `12" pan`, and `"Heroes"` stays as it is.
 */
export function unquoteCell(cell: string): string {
  if (cell.length < 4 || !cell.startsWith('"') || !cell.endsWith('"')) return cell;
  const inner = cell.slice(1, -1);
  return inner.includes('""') && !inner.replaceAll('""', "").includes('"')
    ? inner.replaceAll('""', '"')
    : cell;
}

/**
 * Yields the rows of a file, without blank lines; the first line has number `firstLine`. With `quoted`, cells may be
 * quoted by RFC 4180 and extend over lines. A row with a quote that is not closed has a `problem`, and the next line
 * begins a new row.
 */
export function* splitRows(
  lines: Iterator<string>,
  separator: Separator,
  quoted: boolean,
  firstLine: number,
): Generator<Row> {
  const waiting: string[] = [];
  let line = firstLine - 1;
  const takeLine = (): string | undefined => {
    const text = waiting.shift();
    if (text !== undefined) return text;
    const next = lines.next();
    return next.done ? undefined : next.value;
  };
  for (let text = takeLine(); text !== undefined; text = takeLine()) {
    line++;
    if (text.trim() === "") continue;
    if (!quoted) {
      const cells = text.split(separator);
      yield { line, cells: text.includes('"') ? cells.map(unquoteCell) : cells, raw: text, problem: null };
      continue;
    }
    let raw = text;
    let cells = splitQuotedRow(raw, separator);
    const added: string[] = [];
    while (cells === "open" && added.length < maxLinesOfCell) {
      const next = takeLine();
      if (next === undefined) break;
      added.push(next);
      raw += `\n${next}`;
      // Without a quote in the added line, the open quote stays open.
      if (next.includes('"')) cells = splitQuotedRow(raw, separator);
    }
    if (typeof cells !== "string") {
      yield { line, cells, raw, problem: null };
      line += added.length;
    } else {
      waiting.unshift(...added);
      const problem =
        cells === "malformed" && added.length === 0
          ? "text follows a closing quote"
          : "a quote is opened and not closed";
      yield { line, cells: [], raw: text, problem };
    }
  }
}
