import type { z } from "zod";
import type { BulkReport } from "../../../shared/contracts/product.ts";
import { parseUnknown } from "../../../shared/contracts/result.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { bodyChunks, type MinBodyRate } from "./body-chunks.ts";
import { exceedsNestingDepth } from "./nesting-depth.ts";
import { type LineLimits, type NumberedLine, readLines } from "./read-lines.ts";

/** Bounds the response; further malformed lines are only counted. */
const maxReportedErrors = 100;
const noLines = "The body has no lines; send one JSON object a line.";
const ndjsonMediaTypes = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/** The counts that one call of a worker reports for a batch of valid lines. */
export type BulkOutcome = Omit<BulkReport, "received" | "errors">;

/** Returns the value of a line, or a message that says why it is refused. */
function parseLine<S extends z.ZodType>(
  line: NumberedLine,
  schema: S,
): { value: z.infer<S> } | { message: string } {
  if (line.text === null) return { message: "is too long" };
  if (exceedsNestingDepth(line.text)) return { message: "nests too deep" };
  let json: unknown;
  try {
    json = JSON.parse(line.text);
  } catch {
    return { message: "is not JSON" };
  }
  const parsed = parseUnknown(schema, json);
  if (parsed.ok) return { value: parsed.value };
  const [first] = parsed.error.issues ?? [];
  return { message: first ? `${first.path || "line"}: ${first.message}` : parsed.error.detail };
}

/**
 * Parses an NDJSON body and passes its valid lines to `handle`, at most `maxLinesPerCall` at a time. Returns the report
 * of all lines. A malformed line is counted and reported by its number; the other lines are still handled.
 */
export async function handleBulkLines<S extends z.ZodType>(
  request: Request,
  minRate: MinBodyRate,
  schema: S,
  limits: LineLimits & { maxLinesPerCall: number },
  handle: (values: z.infer<S>[]) => Promise<BulkOutcome>,
): Promise<BulkReport> {
  const mediaType = request.headers.get("content-type")?.split(";")[0].trim().toLowerCase() ?? "";
  if (!ndjsonMediaTypes.includes(mediaType))
    throwRefusal(
      "unsupported_media_type",
      "The body must be NDJSON with the content type application/x-ndjson.",
    );
  const report: BulkReport = { received: 0, accepted: 0, duplicates: 0, rejected: 0, errors: [] };
  let values: z.infer<S>[] = [];
  const flush = async () => {
    if (values.length === 0) return;
    const batch = values;
    values = [];
    const outcome = await handle(batch);
    report.accepted += outcome.accepted;
    report.duplicates += outcome.duplicates;
    report.rejected += outcome.rejected;
  };
  if (!request.body) throwRefusal("invalid_input", noLines);
  try {
    for await (const line of readLines(bodyChunks(request.body, minRate), limits)) {
      report.received++;
      const item = parseLine(line, schema);
      if ("value" in item) values.push(item.value);
      else {
        report.rejected++;
        if (report.errors.length < maxReportedErrors)
          report.errors.push({ line: line.number, message: item.message });
      }
      if (values.length === limits.maxLinesPerCall) await flush();
    }
  } finally {
    // Where the body exceeds a limit, the lines before are still handled.
    await flush();
  }
  if (report.received === 0) throwRefusal("invalid_input", noLines);
  return report;
}
