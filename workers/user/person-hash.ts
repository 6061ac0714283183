import { sha256OfText } from "../shared/hash/sha256.ts";

/** sha-256 (hex) of a person within an application: names them in a tombstone without saying who they were. */
export const personHash = (application: string, userId: string): Promise<string> =>
  sha256OfText(`${application}:${userId}`);
