import type { UserDatabases } from "../buckets/user-databases.ts";
import { type RecountPosition, recountStep } from "../recount.ts";

/** Recounts all totals of an application, step by step. */
export async function recountAll(databases: UserDatabases, application: string): Promise<void> {
  for (let position: RecountPosition | null = null; ; ) {
    const step: { next: RecountPosition | null } = await recountStep(databases, application, position, 100);
    if (step.next === null) return;
    position = step.next;
  }
}
