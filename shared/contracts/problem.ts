import { z } from "zod";
import { inputIssue, refusalCode } from "./result.ts";

/** The stable codes of problems: refusals, and what can be wrong with the connection itself. */
export const problemCodes = [...refusalCode.options, "upgrade_required", "request_timeout"];

/** RFC 9457 `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  /** Of those above: the document says so, while a client may meet those of later versions. */
  code: z.string().meta({ enum: problemCodes }),
  requestId: z.string(),
  errors: z.array(inputIssue).optional(),
});
export type Problem = z.infer<typeof problem>;
