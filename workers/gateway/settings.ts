import * as z from "zod";
import { usualConsent } from "../../shared/consent/default-consent.ts";
import { type Precision, precision } from "../../shared/contracts/primitives.ts";
import { type Retention, retention } from "../../shared/contracts/retention.ts";
import { minUsersShownOf } from "../../shared/counting/min-users-shown.ts";
import { type TokenSecret, tokenSecretsOf } from "./keys/token-secrets.ts";
import type { AllowedOrigins } from "./middleware/cross-origin.ts";
import type { InitialImport } from "./readiness.ts";

// The URL parser accepts a `*` in a host, but no browser sends one: such an origin would match nothing.
const isOrigin = (text: string): boolean =>
  URL.canParse(text) && new URL(text).origin === text && !text.includes("*");

const gatewayVariables = z.object({
  /**
   * The marker of the local state, which its database holds too; then the gateway accepts the development keys. Only the
   * local commands (`npm start`, tests) set it.
   */
  DEVELOPMENT_KEYS: z.string().optional(),
  /**
   * The secret by which the local proxy tells which requests were sent to a local name; then development keys answer to
   * these alone. `npm run dev` sets it.
   */
  LOCAL_PROXY_SECRET: z.string().min(32, "LOCAL_PROXY_SECRET must have at least 32 characters").optional(),
  /**
   * Other origins whose pages may call the API, separated by spaces (`https://shop.example`), or `*` for any origin. The
   * gateway's own origin may always.
   */
  CORS_ORIGINS: z
    .string()
    .default("")
    .transform((text): AllowedOrigins => (text.trim() === "*" ? "*" : text.split(/\s+/).filter(Boolean)))
    .refine((origins) => origins === "*" || origins.every(isOrigin), {
      message: "CORS_ORIGINS must be * or origins such as https://shop.example, separated by spaces",
    }),
  /**
   * Import that `/readyz` waits for, and the start of the deployment in seconds since the Unix epoch: `demo@1764504000`.
   * `npm start` sets it while its dataset is not imported.
   */
  INITIAL_IMPORT: z
    .string()
    .regex(
      /^[A-Za-z0-9._~-]{1,128}@\d{1,12}$/,
      "INITIAL_IMPORT must be NAME@SECONDS, for example demo@1764504000",
    )
    .optional(),
  /** Consent of users who state none. */
  DEFAULT_CONSENT: precision.default(usualConsent),
  /** JSON object with the retention times that differ from the defaults in shared/contracts/retention.ts. */
  RETENTION: z
    .string()
    .default("")
    .transform((text, context): unknown => {
      try {
        return text.trim() === "" ? {} : JSON.parse(text);
      } catch {
        context.addIssue('RETENTION must be a JSON object such as {"trainingLog": 30}');
        return z.NEVER;
      }
    })
    .pipe(retention),
});

/** Settings of the gateway, from its variables and secrets. */
export interface GatewaySettings {
  /** The marker of the local state; null where the development keys are off. */
  developmentMarker: string | null;
  /** The secret of the local proxy; null where there is none. */
  localProxySecret: string | null;
  /** Secrets that sign and verify user tokens. Without any, the gateway neither issues nor accepts tokens. */
  tokenSecrets: readonly TokenSecret[];
  origins: AllowedOrigins;
  retention: Retention;
  /** The consent of users who state none. */
  defaultConsent: Precision;
  /** How many users must have chosen a product before users and publishable keys see its totals. */
  minUsersShown: number;
  /** Null where `/readyz` waits for no import. */
  initialImport: InitialImport | null;
}

/**
 * Parses the variables and secrets. Throws where one is malformed, so that a misconfigured deployment fails at once.
 */
export function gatewaySettingsOf(env: object): GatewaySettings {
  const { DEVELOPMENT_KEYS, LOCAL_PROXY_SECRET, CORS_ORIGINS, RETENTION, INITIAL_IMPORT, DEFAULT_CONSENT } =
    gatewayVariables.parse(env);
  const [name, since] = INITIAL_IMPORT?.split("@") ?? [];
  return {
    developmentMarker: DEVELOPMENT_KEYS ?? null,
    localProxySecret: LOCAL_PROXY_SECRET ?? null,
    tokenSecrets: tokenSecretsOf(env),
    origins: CORS_ORIGINS,
    retention: RETENTION,
    defaultConsent: DEFAULT_CONSENT,
    minUsersShown: minUsersShownOf(env),
    initialImport: name === undefined ? null : { name, since: Number(since) },
  };
}
