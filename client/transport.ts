import { identifierProblem } from "../shared/contracts/identifier.ts";
import { type Problem, problem } from "../shared/contracts/problem.ts";

/**
 * Thrown for every error answer of the service.
 *
 * @example
 * try {
 *   await vicinity.products.get("unknown");
 * } catch (error) {
 *   if (error instanceof VicinityError && error.problem.code === "not_found") return null;
 *   throw error;
 * }
 */
export class VicinityError extends Error {
  /** The problem document of the answer. */
  readonly problem: Problem;
  /** Seconds after which a retry may succeed, from the header `Retry-After`; null if the answer has none. */
  readonly retryAfter: number | null;

  constructor(problem: Problem, retryAfter: number | null) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = "VicinityError";
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Parameters of a query string. Undefined values are left out; a list repeats its parameter. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

/** A request body and its media type; `type: null` lets `fetch` set the header. */
export interface Body {
  type: string | null;
  content: string | Blob | FormData | ArrayBuffer | Uint8Array<ArrayBuffer>;
}

/** Returns a value as a JSON body. */
export const toJsonBody = (value: unknown): Body => ({
  type: "application/json",
  content: JSON.stringify(value),
});
/** Returns values as a body of JSON lines. */
export const toNdjsonBody = (values: readonly unknown[]): Body => ({
  type: "application/x-ndjson",
  content: values.map((value) => JSON.stringify(value)).join("\n"),
});

/**
 * Returns an id as a part of a path. Throws a `TypeError` for a text that is no id: a URL would lose `.`, `..` and an empty
 * part, and so name something else.
 */
export function idInPath(id: string): string {
  const problem = identifierProblem(id);
  if (problem !== null) throw new TypeError(`The id ${problem}`);
  return encodeURIComponent(id);
}

/** The part of the `fetch` function that the client uses. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

async function readError(answer: Response): Promise<VicinityError> {
  const parsed = problem.safeParse(await answer.json().catch(() => null));
  const retryAfter = Number(answer.headers.get("retry-after") ?? Number.NaN);
  return new VicinityError(
    parsed.success
      ? parsed.data
      : {
          type: "about:blank",
          title: "Unexpected answer",
          status: answer.status,
          detail: `The server answered ${answer.status} without a problem document. Check the client's \`url\`.`,
          code: "unexpected",
          requestId: answer.headers.get("x-request-id") ?? "",
        },
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

/**
 * Sends requests to one Vicinity deployment with one credential. {@link Vicinity} creates it.
 *
 * @example
 * const transport = new Transport("https://api.example.com", "vic_...", fetch);
 * const page = await transport.call<Page<User>>("GET", "/v1/users", { limit: 10 });
 */
export class Transport {
  readonly #url: string;
  readonly #credential: string;
  readonly #fetch: FetchFunction;

  constructor(url: string, credential: string, fetch: FetchFunction) {
    this.#url = url.replace(/\/+$/, "");
    this.#credential = credential;
    this.#fetch = fetch;
  }

  /** Sends a request and returns the response. Throws a {@link VicinityError} for an error status. */
  async send(method: string, path: string, query: Query = {}, body?: Body): Promise<Response> {
    const parameters = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [value].flat().map((each) => [name, String(each)]),
    );
    const search = new URLSearchParams(parameters);
    const headers = new Headers({ authorization: `Bearer ${this.#credential}` });
    if (body?.type) headers.set("content-type", body.type);
    const answer = await this.#fetch(`${this.#url}${path}${parameters.length === 0 ? "" : `?${search}`}`, {
      method,
      headers,
      ...(body ? { body: body.content } : {}),
    });
    if (!answer.ok) throw await readError(answer);
    return answer;
  }

  /**
   * Sends a request and returns the JSON of the answer, without validation: the server's types come from the same
   * schemas.
   */
  async call<T>(method: string, path: string, query: Query = {}, body?: Body): Promise<T> {
    return (await this.send(method, path, query, body)).json() as Promise<T>;
  }

  /** Sends a request as {@link call} does. Returns null for an answer without a body. */
  async callOrNull<T>(method: string, path: string, query: Query = {}, body?: Body): Promise<T | null> {
    const answer = await this.send(method, path, query, body);
    return answer.status === 204 ? null : (answer.json() as Promise<T>);
  }

  /** Returns the URL and the text of a beacon, whose body contains the credential. */
  beacon(path: string, body: object): [url: string, text: string] {
    return [`${this.#url}${path}`, JSON.stringify({ token: this.#credential, ...body })];
  }

  /** Returns the URL and subprotocols of a WebSocket. The second subprotocol carries the credential. */
  socket(path: string): [url: string, protocols: string[]] {
    return [`${this.#url.replace(/^http/, "ws")}${path}`, ["vicinity", this.#credential]];
  }
}
