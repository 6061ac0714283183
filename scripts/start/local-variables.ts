import { tokenSecretVariables } from "../token-secret/local-secrets.ts";
import { developmentMarker, secretIn } from "./state-secrets.ts";

/** Variables and secrets of a local instance, by the name of the worker that receives them. */
export interface LocalVariables {
  gateway: Record<string, string>;
  recommendation: Record<string, string>;
  "user-session": Record<string, string>;
}

/**
 * Returns what a local instance adds to the configurations: the secrets that they require, and the marker by which the
 * gateway knows a local state. The state directory keeps them, so that ids and tokens stay valid after a restart.
 */
export function localVariables(stateDir: string): LocalVariables {
  const pseudonyms = { PSEUDONYM_SECRET: secretIn(stateDir, "pseudonym-secret") };
  return {
    gateway: { ...tokenSecretVariables(stateDir), DEVELOPMENT_KEYS: developmentMarker(stateDir) },
    recommendation: pseudonyms,
    "user-session": pseudonyms,
  };
}
