import { type ModelRow, RegistryStore } from "../store.ts";
import { modelKey } from "./model-key.ts";

/** Returns whether a version neither serves nor takes part in a rollout. */
const isInactive = ({ status }: ModelRow): boolean =>
  status === "retired" || status === "refused" || status === "rolled_back";

/**
 * Deletes inactive versions, except the `maxKept` newest, the version that a rollback would restore, and those that
 * experiments compare. Then deletes their files, unless another version has the same file. A crash between the two
 * deletions leaves unused files. `now` is in seconds since the epoch.
 */
export async function pruneModels(
  env: Pick<RecommendationEnv, "DB" | "MODELS">,
  application: string,
  maxKept: number,
  now: number,
): Promise<void> {
  const store = new RegistryStore(env.DB);
  const versions = await store.list(application);
  const previous = await store.previouslyServing(application);
  const excess = versions
    .filter((row) => isInactive(row) && row.version !== previous?.version)
    .slice(maxKept)
    .map(({ version }) => version);
  if (excess.length === 0) return;
  const gone = new Set(await store.removeVersions(application, excess, now));
  const removed = versions.filter(({ version }) => gone.has(version));
  const usedFiles = new Set(versions.filter((row) => !removed.includes(row)).map(({ sha256 }) => sha256));
  const unusedFiles = removed.map(({ sha256 }) => sha256).filter((sha256) => !usedFiles.has(sha256));
  if (unusedFiles.length > 0)
    await env.MODELS.delete(unusedFiles.map((sha256) => modelKey(application, sha256)));
}
