import * as z from "zod";
import type { BulkReport } from "./product.ts";

/**
 * The answer of an RPC method: a value, or a refusal with a stable code. Methods throw only for bugs and outages,
 * because an error's own properties do not survive RPC.
 */
export type Result<T> = { ok: true; value: T } | { ok: false; error: Refusal };

/** The stable codes of refusals. The gateway maps each code to one HTTP status. */
export const refusalCode = z.enum([
  "invalid_input",
  "unauthorized",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "conflict",
  "user_merged",
  "too_large",
  "unsupported_media_type",
  "nothing_accepted",
  "rate_limited",
  "unavailable",
  "internal",
]);
export type RefusalCode = z.infer<typeof refusalCode>;

/** A part of the input that was refused, and why. */
export const inputIssue = z.object({
  /** Dotted, for example `events.3.type`, or `lines.3.type` in a bulk request, where lines count from 1. */
  path: z.string(),
  /** What is right, and what was found. */
  message: z.string(),
  /** The wrong part of an expression. */
  position: z
    .object({
      line: z.number().int().meta({ description: "From 1." }),
      column: z.number().int().meta({ description: "From 1, in UTF-16 code units." }),
      length: z.number().int().meta({ description: "In UTF-16 code units; 0 where something is missing." }),
    })
    .optional(),
  /** The known name that is most like an unknown one of an expression. */
  nearest: z.string().optional(),
  /** Why an item of a request was refused, if the problem's code is `nothing_accepted`. */
  code: z.string().optional(),
  /** Seconds after which the client may send the item again; absent if the item itself is wrong. */
  retryAfter: z.number().optional(),
});
export type InputIssue = z.infer<typeof inputIssue>;

/** A refusal: its code, and a `detail` that tells the caller what to do. */
export interface Refusal {
  code: RefusalCode;
  detail: string;
  issues?: InputIssue[];
  /** What a bulk request reports of its lines (for `nothing_accepted`). */
  report?: BulkReport;
  /** Seconds after which a retry may succeed (for `unavailable` and `rate_limited`). */
  retryAfter?: number;
}

/** Returns a successful result. */
export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
/** Returns a refusal as a result. */
export const refuse = (
  code: RefusalCode,
  detail: string,
  options: Omit<Refusal, "code" | "detail"> = {},
): { ok: false; error: Refusal } => ({ ok: false, error: { code, detail, ...options } });

/**
 * A refusal as an exception. RPC methods return a {@link Result} instead, because the property `refusal` does not
 * survive RPC.
 */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;

  /** `service` names the service that refused, for example `the user service`. */
  constructor(refusal: Refusal, service: string) {
    super(`${service} refused: ${refusal.detail}`);
    this.refusal = refusal;
  }
}

/** Returns the value of a result. Throws a {@link RefusalError} that names `service` if the result is a refusal. */
export function unwrap<T>(result: Result<T>, service: string): T {
  if (!result.ok) throw new RefusalError(result.error, service);
  return result.value;
}

/** Characters of a value that a message quotes. */
const maxQuotedCharacters = 80;

/** Returns the value at a path of the input, as JSON and bounded; null if there is none, or a message names it. */
function foundAt(input: unknown, path: readonly PropertyKey[]): string | null {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return null;
    value = Reflect.get(value, key);
  }
  // JSON has no infinity, but reads a number such as 1e400 as one.
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  if (text === undefined) return null;
  return quote(text);
}

/** Returns a text, bounded and well-formed. */
const quote = (text: string): string =>
  text.length <= maxQuotedCharacters ? text : `${text.slice(0, maxQuotedCharacters).toWellFormed()}…`;

/** Returns whether the input has an object at the parent of a path, and no value at the path. */
function isMissing(input: unknown, path: readonly PropertyKey[]): boolean {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return false;
    value = Reflect.get(value, key);
  }
  return path.length > 0 && value === undefined;
}

/**
 * Returns the issues of a zod error as {@link InputIssue}s. Each unknown field becomes an issue with its own path. A
 * message ends with what was found in `input`, the value that was parsed.
 */
export const issuesOf = (error: z.ZodError, input?: unknown): InputIssue[] =>
  error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        path: [...issue.path, key].join("."),
        message: "is not a known field",
      }));
    const path = issue.path.join(".");
    if (issue.code === "invalid_key") {
      const name = JSON.stringify(String(issue.path.at(-1)));
      return [{ path, message: `the name ${quote(name)}: ${issue.issues[0]?.message ?? issue.message}` }];
    }
    if (issue.code === "invalid_type" && isMissing(input, issue.path))
      return [{ path, message: "is missing" }];
    const found = issue.message.includes("; got ") ? null : foundAt(input, issue.path);
    return [{ path, message: found === null ? issue.message : `${issue.message}; got ${found}` }];
  });

/**
 * Parses the arguments of an RPC method. Returns the parsed value, or refuses with `invalid_input` and one issue for each
 * wrong field. The type of `input` is the schema's, so that the type check finds a misspelled or missing argument.
 */
export const parse = <S extends z.ZodType>(schema: S, input: z.input<S>): Result<z.infer<S>> =>
  parseUnknown(schema, input);

/** Parses input of any origin: bodies, lines, files. Returns or refuses as {@link parse} does. */
export function parseUnknown<S extends z.ZodType>(schema: S, input: unknown): Result<z.infer<S>> {
  const parsed = schema.safeParse(input);
  return parsed.success
    ? ok(parsed.data)
    : refuse("invalid_input", "The input does not match the schema. See `errors` for each wrong field.", {
        issues: issuesOf(parsed.error, input),
      });
}
