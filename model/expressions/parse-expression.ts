import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { maxExpressionLength } from "../../shared/contracts/expression.ts";
import { InvalidExpression } from "./expression-error.ts";

/** Values, operators, names and calls of an expression, at most. They bound the work for each product. */
export const maxExpressionNodes = 512;
/** Levels of parentheses, lists and calls in each other, at most. */
export const maxExpressionDepth = 50;

const environment = new Environment({
  limits: {
    maxAstNodes: maxExpressionNodes,
    maxDepth: maxExpressionDepth,
    maxListElements: maxExpressionNodes,
  },
});

/** Reasons for errors of the parser that its own message does not explain to a user of this API. */
const reasons: Readonly<Record<string, string>> = {
  maxAstNodes: `has more than ${maxExpressionNodes} values, operators, names and calls`,
  maxDepth: `has more than ${maxExpressionDepth} levels of parentheses, lists and calls`,
};

/** Operators of other languages that users write, by what they write. */
const operators: Readonly<Record<string, string>> = {
  "=": "==",
  "&": "&&",
  "|": "||",
  "<>": "!=",
  and: "&&",
  or: "||",
  not: "!",
};

/** Returns what to say of a part of the source where the parser stopped. */
function reasonOf(source: string, start: number, error: ParseError): string {
  const rest = source.slice(start);
  const written = /^(?:[A-Za-z_]\w*|<>|.)/su.exec(rest)?.[0];
  if (written === undefined) return "ends where a value is expected";
  const operator = operators[written.toLowerCase()];
  if (operator !== undefined) return `\`${written}\` is no operator; write \`${operator}\``;
  const limit = Object.keys(reasons).find((name) => error.message.includes(name));
  return limit === undefined ? `cannot be read here: ${error.summary}` : reasons[limit];
}

/**
 * Parses an expression. Throws {@link InvalidExpression} if it is too long, is nested too deeply, or does not follow the
 * grammar of the Common Expression Language.
 */
export function parseExpression(source: string): ASTNode {
  if (source.length > maxExpressionLength)
    throw new InvalidExpression(
      { start: maxExpressionLength, end: source.length },
      `must have at most ${maxExpressionLength} characters; got ${source.length}`,
    );
  if (!source.isWellFormed())
    throw new InvalidExpression({ start: 0, end: source.length }, "must be well-formed Unicode");
  try {
    return environment.parse(source).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { start, end } = error.range ?? { start: source.length, end: source.length };
    throw new InvalidExpression({ start, end }, reasonOf(source, start, error));
  }
}
