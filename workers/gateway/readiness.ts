import { z } from "zod";
import { identifier, instant } from "../../shared/contracts/primitives.ts";

/** How far an import is; whoever imports says so, step by step. */
export const importInput = z.strictObject({
  status: z.enum(["running", "done", "failed"]),
  done: z.number().int().min(0).max(1e15),
  total: z.number().int().min(0).max(1e15),
});
export type ImportInput = z.infer<typeof importInput>;

export const importRecord = importInput.extend({ name: identifier, updatedAt: instant });
export type ImportRecord = z.infer<typeof importRecord>;

/** Whether the house can serve: each worker's word, and the imports under way. */
export const readinessReport = z.object({
  ready: z.boolean(),
  workers: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string() })),
  imports: z.array(importRecord),
});
export type ReadinessReport = z.infer<typeof readinessReport>;
