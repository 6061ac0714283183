import { z } from "zod";
import { inputIssue } from "./result.ts";

/** RFC 9457 `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(inputIssue).optional(),
});
export type Problem = z.infer<typeof problem>;
