import { z } from "zod";

const environment = z.object({
  /** "on" accepts the development keys; only the local commands pass it. */
  DEVELOPMENT_KEYS: z.enum(["on", "off"]).default("off"),
  /** Secret that signs tokens; without it none are issued and none are accepted. */
  TOKEN_SECRET: z.string().min(32).optional(),
});

/** What the environment decides. */
export interface Settings {
  developmentKeys: boolean;
  tokenSecret: string | null;
}

/** Parses variables and secrets; throws where one is malformed, so that a wrong deployment fails at once. */
export function settingsOf(env: object): Settings {
  const { DEVELOPMENT_KEYS, TOKEN_SECRET } = environment.parse(env);
  return { developmentKeys: DEVELOPMENT_KEYS === "on", tokenSecret: TOKEN_SECRET ?? null };
}
