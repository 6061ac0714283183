import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";
import type { GatewayStore, UncopiedKey } from "../store.ts";
import type { KeyCopies } from "./key-copies.ts";

/** Keys that one run copies: two writes to KV each, and a request may make 1,000 calls. */
const maxKeysPerRun = 100;
/** Copies that are written at the same time. */
const maxConcurrentCopies = 6;
/**
 * Seconds after a change at which its copy is written for good. A write that began just before the change has ended then.
 */
export const copyDelaySeconds = 60;
/** Seconds after a change from which isolates are told not to read the old copy. */
const lateSeconds = 300;

type Store = Pick<GatewayStore, "findUncopied" | "markCopied" | "announceUncopied" | "findForCopy">;

/**
 * Copies at most 100 keys to KV that changed a minute ago or earlier, and returns how many. While copies of revoked or
 * rotated keys cannot be written, their applications' changes are announced again. `now` is in seconds since the Unix
 * epoch.
 */
export async function copyChangedKeys(store: Store, copies: KeyCopies, now: number): Promise<number> {
  const at = Math.floor(now);
  const copied: UncopiedKey[] = [];
  const failures: unknown[] = [];
  await mapConcurrent(
    maxConcurrentCopies,
    await store.findUncopied(at - copyDelaySeconds, maxKeysPerRun),
    async (key) => {
      try {
        await copies.write(key, now);
        copied.push(key);
      } catch (error) {
        failures.push(error);
      }
    },
  );
  await store.markCopied(copied);
  await store.announceUncopied(at - lateSeconds, at);
  if (failures.length > 0) throw failures[0];
  return copied.length;
}

/**
 * Copies keys of an application to KV as soon as they changed, so that isolates need not read them from the database.
 * {@link copyChangedKeys} repeats it. `now` is in seconds since the Unix epoch.
 */
export async function copyNow(
  store: Store,
  copies: KeyCopies,
  { application, ids, now }: { application: string; ids: readonly string[]; now: number },
): Promise<void> {
  for (const key of await store.findForCopy(application, ids)) await copies.write(key, now);
}
