import * as z from "zod";
import { bulkReport } from "./product.ts";
import { inputIssue, refusalCode } from "./result.ts";

/** The stable codes of problem documents: the codes of refusals, and two codes for the connection itself. */
export const problemCodes = [...refusalCode.options, "upgrade_required", "request_timeout"];

/** The body of every error answer: RFC 9457 `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  /** One of {@link problemCodes}. The schema accepts any string, so that a client can read codes of later versions. */
  code: z.string().meta({ enum: problemCodes }),
  requestId: z.string(),
  errors: z.array(inputIssue).optional(),
  /** What a bulk request reports of its lines, if the code is `nothing_accepted`. */
  report: bulkReport.optional(),
});
export type Problem = z.infer<typeof problem>;
