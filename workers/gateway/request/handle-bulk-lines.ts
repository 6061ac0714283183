import type * as z from "zod";
import type { RejectedEvent } from "../../../shared/contracts/event.ts";
import {
  type BulkReport,
  maxReportedLines,
  type RefusedLine,
  type WarnedLine,
} from "../../../shared/contracts/product.ts";
import { type InputIssue, parseUnknown, RefusalError } from "../../../shared/contracts/result.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { MinBodyRate } from "./body-chunks.ts";
import { decodedChunks } from "./decoded-chunks.ts";
import { mediaTypeOf, requireUtf8Charset } from "./media-type.ts";
import { exceedsNestingDepth, maxNestingDepth } from "./nesting-depth.ts";
import { whyNotJson } from "./not-json.ts";
import { type LineLimits, type NumberedLine, readLines } from "./read-lines.ts";

const noLines = "The body has no lines; send one JSON object a line.";
const ndjsonMediaTypes = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/** What a worker did with a batch of valid lines. `index` is the position of a line in the batch. */
export interface BulkOutcome {
  accepted: number;
  duplicates: number;
  rejected: readonly RejectedEvent[];
  warnings?: readonly { index: number; code: string; message: string }[];
}

type ParsedLine<T> = { value: T } | { error: Omit<RefusedLine, "line"> };
const invalid = (message: string, path?: string): { error: Omit<RefusedLine, "line"> } => ({
  error: { code: "invalid_input", ...(path ? { path } : {}), message },
});

/** Returns the value of a line, or why it is refused. */
function parseLine<S extends z.ZodType>(line: NumberedLine, schema: S): ParsedLine<z.infer<S>> {
  if ("problem" in line) return invalid(line.problem);
  if (exceedsNestingDepth(line.text)) return invalid(`nests too deep: ${maxNestingDepth} levels are allowed`);
  let json: unknown;
  try {
    json = JSON.parse(line.text);
  } catch {
    return invalid(whyNotJson(line.text) ?? "is not JSON");
  }
  const parsed = parseUnknown(schema, json);
  if (parsed.ok) return { value: parsed.value };
  const [first] = parsed.error.issues ?? [];
  if (!first) return invalid(parsed.error.detail);
  return invalid(`${first.path || "line"}: ${first.message}`, first.path);
}

/** Returns the first lines that a report lists, ascending. */
const firstLines = <T extends { line: number }>(lines: readonly T[]): T[] =>
  lines.toSorted((a, b) => a.line - b.line).slice(0, maxReportedLines);

/** Collects what happened to the lines of a request. */
class LineReport {
  received = 0;
  #accepted = 0;
  #duplicates = 0;
  #rejected = 0;
  #errors: RefusedLine[] = [];
  #warned = 0;
  #warnings: WarnedLine[] = [];

  refuse(error: RefusedLine): void {
    this.#rejected++;
    this.#errors.push(error);
    // A batch reports its lines after later lines were parsed, so the first lines are known only at its end.
    if (this.#errors.length >= 2 * maxReportedLines) this.#errors = firstLines(this.#errors);
  }

  /** Adds what happened to a batch. `lines` are the numbers of its lines. */
  add({ accepted, duplicates, rejected, warnings = [] }: BulkOutcome, lines: readonly number[]): void {
    this.#accepted += accepted;
    this.#duplicates += duplicates;
    for (const { index, error } of rejected) {
      const { code, path, message, fields } = error;
      this.refuse({
        line: lines[index],
        code,
        ...(path === undefined ? {} : { path }),
        message,
        ...(fields === undefined ? {} : { fields }),
      });
    }
    this.#warned += warnings.length;
    const warned = warnings.map(({ index, code, message }) => ({ line: lines[index], code, message }));
    this.#warnings = firstLines([...this.#warnings, ...warned]);
  }

  /** Returns the report. Refuses `nothing_accepted` if every line was refused. */
  finish(): BulkReport {
    const errors = firstLines(this.#errors);
    const warningsOmitted = this.#warned - this.#warnings.length;
    const omitted = this.#rejected - errors.length;
    const report: BulkReport = {
      received: this.received,
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      rejected: this.#rejected,
      errors,
      ...(omitted > 0 ? { errorsOmitted: omitted } : {}),
      ...(this.#warned > 0 ? { warnings: this.#warnings } : {}),
      ...(warningsOmitted > 0 ? { warningsOmitted } : {}),
    };
    if (this.#accepted + this.#duplicates > 0 || this.#rejected === 0) return report;
    const listed = omitted > 0 ? `\`errors\` lists the first ${errors.length}` : "see `errors`";
    return throwRefusal("nothing_accepted", `All ${this.#rejected} lines were refused; ${listed}.`, {
      issues: errors.map(({ line, path, message, code }): InputIssue => {
        const field = path === undefined ? [] : [path];
        return { path: ["lines", line, ...field].join("."), message, code };
      }),
      report,
    });
  }
}

/**
 * Parses an NDJSON body and passes its valid lines to `handle`, at most `maxLinesPerCall` at a time. Returns the report
 * of all lines. A refused line is counted and reported by its number; the other lines are still handled. Refuses
 * `nothing_accepted` if every line was refused.
 */
export async function handleBulkLines<S extends z.ZodType>(
  request: Request,
  minRate: MinBodyRate,
  schema: S,
  limits: LineLimits & { maxLinesPerCall: number },
  handle: (values: z.infer<S>[]) => Promise<BulkOutcome>,
): Promise<BulkReport> {
  if (!ndjsonMediaTypes.includes(mediaTypeOf(request.headers)))
    throwRefusal(
      "unsupported_media_type",
      "The body must be NDJSON with the content type application/x-ndjson.",
    );
  requireUtf8Charset(request.headers);
  const report = new LineReport();
  let batch: { line: number; value: z.infer<S> }[] = [];
  const flush = async () => {
    if (batch.length === 0) return;
    const lines = batch;
    batch = [];
    report.add(
      await handle(lines.map(({ value }) => value)),
      lines.map(({ line }) => line),
    );
  };
  const { headers, body } = request;
  if (!body) throwRefusal("invalid_input", noLines);
  try {
    for await (const line of readLines(decodedChunks({ headers, body }, minRate), limits)) {
      report.received++;
      const item = parseLine(line, schema);
      if ("value" in item) batch.push({ line: line.number, value: item.value });
      else report.refuse({ line: line.number, ...item.error });
      if (batch.length === limits.maxLinesPerCall) await flush();
    }
  } catch (error) {
    // Where the body exceeds a limit, breaks off or is damaged, the lines before are still handled.
    await flush();
    if (!(error instanceof RefusalError) || error.refusal.code !== "invalid_input") throw error;
    const { code, detail } = error.refusal;
    throwRefusal(code, `${detail} The lines before (${report.received}) were handled; send all lines again.`);
  }
  await flush();
  if (report.received === 0) throwRefusal("invalid_input", noLines);
  return report.finish();
}
