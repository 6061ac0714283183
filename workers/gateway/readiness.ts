import * as z from "zod";
import { identifier, instant, wellFormedText } from "../../shared/contracts/primitives.ts";

/** Longest reason of a failed import, in characters. */
const maxReasonLength = 500;

/**
 * Body of `PUT /v1/imports/{name}`: the progress of an import. `done` and `total` count its items; `reason` says why it
 * failed.
 */
export const importInput = z.strictObject({
  status: z.enum(["running", "done", "failed"]),
  done: z.number().int().min(0).max(1e15),
  total: z.number().int().min(0).max(1e15),
  reason: wellFormedText(1, maxReasonLength).nullable().default(null),
});
export type ImportInput = z.infer<typeof importInput>;

/** An import's progress as the gateway returns it. */
export const importRecord = importInput.extend({ name: identifier, updatedAt: instant });
export type ImportRecord = z.infer<typeof importRecord>;

/** The import that a fresh deployment waits for: `/readyz` fails until it has ended. */
export interface InitialImport {
  name: string;
  /** Start of the deployment, in seconds since the Unix epoch. Earlier reports are those of an earlier start. */
  since: number;
}

/** Answer of `/readyz`, which names nothing: anybody may ask. */
export const readinessWord = z.object({ status: z.enum(["ready", "not ready"]) });

/**
 * Answer of `GET /v1/readiness`: whether the service is ready for an application, what each worker says, and the
 * application's imports that run.
 */
export const readinessReport = z.object({
  ready: z.boolean(),
  workers: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string() })),
  imports: z.array(importRecord),
});
export type ReadinessReport = z.infer<typeof readinessReport>;
