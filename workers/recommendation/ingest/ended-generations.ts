import type { Tombstone } from "../../../shared/services/user-api.ts";
import type { ErasedGenerations } from "../../../shared/training-log/lines.ts";

/** Returns the last generation of each user that was erased or merged into another user, by pseudonym. */
export const endedGenerations = (tombstones: readonly Tombstone[]): ErasedGenerations =>
  new Map(
    tombstones.map(({ pseudonym, generation, mergedGeneration }) => [
      pseudonym,
      Math.max(generation, mergedGeneration),
    ]),
  );
