/** Comment above a statement that removes or renames something, followed by the reason. */
export const unusedMark = "-- The release before does not use this:";

const name = '[`"]?(\\w+)[`"]?';
const rules: readonly RegExp[] = [
  /^DROP (TABLE|VIEW)\b/i,
  /^ALTER TABLE .* (DROP COLUMN|RENAME)\b/i,
  /^ALTER TABLE .* ADD (?:COLUMN )?(?=.*\bNOT NULL\b)(?!.*\bDEFAULT\b)/i,
];
const createTable = new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${name}`, "i");
const uniqueIndex = new RegExp(`^CREATE UNIQUE INDEX .* ON ${name}`, "i");

const withoutComments = (statement: string): string =>
  statement
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("--"))
    .join(" ")
    .replace(/\s+/g, " ")
    .replace(/;\s*$/, "")
    .trim();

/**
 * Returns the statements of a migration after which the release before cannot run: those that remove or rename something,
 * add a column that it does not fill, or make a column unique of a table that exists. A statement after a comment that
 * begins with {@link unusedMark} and names a reason is left out.
 */
export function incompatibleStatements(sql: string): string[] {
  const statements = sql.split("--> statement-breakpoint");
  const created = new Set(statements.flatMap((each) => createTable.exec(withoutComments(each))?.[1] ?? []));
  return statements.flatMap((statement) => {
    const at = statement.indexOf(unusedMark);
    const hasReason = at >= 0 && /\S/.test(statement.slice(at + unusedMark.length).split("\n")[0]);
    const text = withoutComments(statement);
    const indexed = uniqueIndex.exec(text)?.[1];
    const isIncompatible =
      rules.some((rule) => rule.test(text)) || (indexed !== undefined && !created.has(indexed));
    return isIncompatible && !hasReason ? [text] : [];
  });
}
