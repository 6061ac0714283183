import { z } from "zod";
import { type Retention, retention } from "../../shared/contracts/retention.ts";
import type { AllowedOrigins } from "./middleware/cross-origin.ts";

// A host may hold a star, but no browser sends one: it would look like a pattern and match nothing.
const isOrigin = (text: string): boolean =>
  URL.canParse(text) && new URL(text).origin === text && !text.includes("*");

const gatewayVariables = z.object({
  /** "on" accepts the development keys; only the local commands pass it. */
  DEVELOPMENT_KEYS: z.enum(["on", "off"]).default("off"),
  /** Secret that signs tokens; without it none are issued and none are accepted. */
  TOKEN_SECRET: z.string().min(32).optional(),
  /** Origins whose pages may read answers, separated by spaces (`https://shop.example`), or `*` for all. */
  CORS_ORIGINS: z
    .string()
    .default("*")
    .transform((text): AllowedOrigins => (text.trim() === "*" ? "*" : text.split(/\s+/).filter(Boolean)))
    .refine((origins) => origins === "*" || origins.every(isOrigin), {
      message: "must be * or origins such as https://shop.example",
    }),
  /** JSON of shared/contracts/retention.ts, where its defaults do not fit. */
  RETENTION: z
    .string()
    .default("")
    .transform((text, context): unknown => {
      try {
        return text.trim() === "" ? {} : JSON.parse(text);
      } catch {
        context.addIssue("must be JSON");
        return z.NEVER;
      }
    })
    .pipe(retention),
});

/** What the environment decides. */
export interface GatewaySettings {
  developmentKeys: boolean;
  tokenSecret: string | null;
  allowedOrigins: AllowedOrigins;
  retention: Retention;
}

/** Parses variables and secrets; throws where one is malformed, so that a wrong deployment fails at once. */
export function gatewaySettingsOf(env: object): GatewaySettings {
  const { DEVELOPMENT_KEYS, TOKEN_SECRET, CORS_ORIGINS, RETENTION } = gatewayVariables.parse(env);
  return {
    developmentKeys: DEVELOPMENT_KEYS === "on",
    tokenSecret: TOKEN_SECRET ?? null,
    allowedOrigins: CORS_ORIGINS,
    retention: RETENTION,
  };
}
