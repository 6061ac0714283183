import { z } from "zod";

/**
 * What an RPC answers: a value or a named refusal. Exceptions are for bugs and outages only, because
 * own properties of an error do not survive RPC.
 */
export type Result<T> = { ok: true; value: T } | { ok: false; error: Refusal };

/** The stable codes of refusals; `shared/errors` maps each to one HTTP status. */
export const refusalCode = z.enum([
  "invalid_input",
  "unauthorized",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "conflict",
  "too_large",
  "unsupported_media_type",
  "rate_limited",
  "unavailable",
  "internal",
]);
export type RefusalCode = z.infer<typeof refusalCode>;

/** Where and why a part of the input was refused; `path` is dotted (`events.3.type`). */
export const inputIssue = z.object({ path: z.string(), message: z.string() });
export type InputIssue = z.infer<typeof inputIssue>;

/** A refusal that a caller can act on. */
export interface Refusal {
  code: RefusalCode;
  detail: string;
  issues?: InputIssue[];
  /** Seconds after which a retry makes sense (`unavailable`, `rate_limited`). */
  retryAfter?: number;
}

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const refuse = (
  code: RefusalCode,
  detail: string,
  options: Omit<Refusal, "code" | "detail"> = {},
): { ok: false; error: Refusal } => ({ ok: false, error: { code, detail, ...options } });

/** A refusal as an exception, for code that leaves by throwing. Its own fields do not survive RPC: return a {@link Result} there. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;

  /** `service` names who refused, for the log: `the user service`. */
  constructor(refusal: Refusal, service: string) {
    super(`${service} refused: ${refusal.detail}`);
    this.refusal = refusal;
  }
}

/** Returns the value of a result; throws a {@link RefusalError} that names `service` where it is a refusal. */
export function unwrap<T>(result: Result<T>, service: string): T {
  if (!result.ok) throw new RefusalError(result.error, service);
  return result.value;
}

/** zod's issues as {@link InputIssue}s; each unknown field is named by its own path. */
export const issuesOf = (error: z.ZodError): InputIssue[] =>
  error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ path: [...issue.path, key].join("."), message: "is not a known field" }))
      : [{ path: issue.path.join("."), message: issue.message }],
  );

/** Parses input at an RPC or queue door: the value, or `invalid_input` with its issues. */
export function parse<S extends z.ZodType>(schema: S, input: unknown): Result<z.infer<S>> {
  const parsed = schema.safeParse(input);
  return parsed.success
    ? ok(parsed.data)
    : refuse("invalid_input", "The input does not have the documented form.", {
        issues: issuesOf(parsed.error),
      });
}
