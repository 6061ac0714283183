/** Why an expression is refused, and where. */
export interface ExpressionError {
  /** Line and column of the first wrong character, from 1. A column counts UTF-16 code units. */
  line: number;
  column: number;
  /** Length of the wrong part, in UTF-16 code units; 0 where something is missing. */
  length: number;
  /** What is right, and what was found. */
  reason: string;
  /** The known name that is most like the unknown one, if any is. */
  nearest?: string;
}

/** A part of a source text: offsets of its start and its end, in UTF-16 code units. */
export interface SourceRange {
  start: number;
  end: number;
}

/** An {@link ExpressionError} as an exception; it leaves the folder as a value. */
export class InvalidExpression extends Error {
  override readonly name = "InvalidExpression";
  readonly range: SourceRange;
  readonly nearest: string | undefined;

  constructor(range: SourceRange, reason: string, nearest?: string) {
    super(reason);
    this.range = range;
    this.nearest = nearest;
  }
}

/** Returns the error of a source text. */
export function expressionErrorOf(
  source: string,
  { range, message, nearest }: InvalidExpression,
): ExpressionError {
  const start = Math.min(range.start, source.length);
  const before = source.slice(0, start);
  return {
    line: before.split("\n").length,
    column: start - before.lastIndexOf("\n"),
    length: Math.max(0, Math.min(range.end, source.length) - start),
    reason: message,
    ...(nearest === undefined ? {} : { nearest }),
  };
}

/** Returns an error as one sentence: the position, the reason and the nearest name. */
export const expressionErrorText = ({ line, column, reason, nearest }: ExpressionError): string =>
  `line ${line}, column ${column}: ${reason}${nearest === undefined ? "" : `; the nearest known name is \`${nearest}\``}`;
