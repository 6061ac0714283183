import { z } from "zod";
import { identifier, instant } from "../../shared/contracts/primitives.ts";

/** Body of `PUT /v1/imports/{name}`: the progress of an import. `done` and `total` count its items. */
export const importInput = z.strictObject({
  status: z.enum(["running", "done", "failed"]),
  done: z.number().int().min(0).max(1e15),
  total: z.number().int().min(0).max(1e15),
});
export type ImportInput = z.infer<typeof importInput>;

/** An import's progress as the gateway returns it. */
export const importRecord = importInput.extend({ name: identifier, updatedAt: instant });
export type ImportRecord = z.infer<typeof importRecord>;

/** Answer of `/readyz`: whether all workers are ready, and the imports that run or failed. */
export const readinessReport = z.object({
  ready: z.boolean(),
  workers: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string() })),
  imports: z.array(importRecord),
});
export type ReadinessReport = z.infer<typeof readinessReport>;
