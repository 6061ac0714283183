import { modelKey } from "../models/model-key.ts";
import { type ModelRow, RegistryStore } from "../store.ts";

/** Whether a version's way is over and it does not serve. */
const isOver = ({ status }: ModelRow): boolean =>
  status === "retired" || status === "refused" || status === "rolled_back";

/**
 * Forgets versions whose way is over, but for the `kept` newest and the one that would serve after a rollback; then their
 * files, where no other version has the same content. What dies in between leaves a file without a version.
 */
export async function prune(
  env: Pick<RecommendationEnv, "DB" | "MODELS">,
  application: string,
  kept: number,
): Promise<void> {
  const store = new RegistryStore(env.DB);
  const versions = await store.list(application);
  const before = await store.previous(application);
  const over = versions.filter((row) => isOver(row) && row.version !== before?.version).slice(kept);
  if (over.length === 0) return;
  await store.remove(
    application,
    over.map(({ version }) => version),
  );
  const gone = new Set(over);
  const used = new Set(versions.filter((row) => !gone.has(row)).map(({ sha256 }) => sha256));
  const files = over.map(({ sha256 }) => sha256).filter((sha256) => !used.has(sha256));
  if (files.length > 0) await env.MODELS.delete(files.map((sha256) => modelKey(application, sha256)));
}
