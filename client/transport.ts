import { type Problem, problem } from "../shared/contracts/problem.ts";

/** A refusal, with all that the service said of it. */
export class VicinityError extends Error {
  readonly problem: Problem;
  /** Seconds after which another attempt makes sense, where the service named them. */
  readonly retryAfter: number | null;

  constructor(problem: Problem, retryAfter: number | null) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = "VicinityError";
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Values of a query string; those undefined are left out. */
export type Query = Record<string, string | number | undefined>;

/** A body and its media type. */
export interface Body {
  type: string | null;
  content: string | Blob | FormData | ArrayBuffer | Uint8Array<ArrayBuffer>;
}

export const jsonBody = (value: unknown): Body => ({
  type: "application/json",
  content: JSON.stringify(value),
});
export const ndjsonBody = (values: readonly unknown[]): Body => ({
  type: "application/x-ndjson",
  content: values.map((value) => JSON.stringify(value)).join("\n"),
});

/** The part of `fetch` that is needed. */
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
          detail: `The service answered ${answer.status} without a problem document.`,
          code: "unexpected",
          requestId: answer.headers.get("x-request-id") ?? "",
        },
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

/** Calls one service with one credential. */
export class Transport {
  readonly #url: string;
  readonly #credential: string;
  readonly #fetch: FetchFunction;

  constructor(url: string, credential: string, fetch: FetchFunction) {
    this.#url = url.replace(/\/+$/, "");
    this.#credential = credential;
    this.#fetch = fetch;
  }

  /** The whole answer; throws a {@link VicinityError} for a refusal. */
  async send(method: string, path: string, query: Query = {}, body?: Body): Promise<Response> {
    const given = Object.entries(query).filter((entry) => entry[1] !== undefined);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    const headers = new Headers({ authorization: `Bearer ${this.#credential}` });
    if (body?.type) headers.set("content-type", body.type);
    const answer = await this.#fetch(`${this.#url}${path}${given.length === 0 ? "" : `?${search}`}`, {
      method,
      headers,
      ...(body ? { body: body.content } : {}),
    });
    if (!answer.ok) throw await readError(answer);
    return answer;
  }

  /** The answer's JSON. Its form is the service's promise: the same schemas make both sides' types. */
  async call<T>(method: string, path: string, query: Query = {}, body?: Body): Promise<T> {
    return (await this.send(method, path, query, body)).json();
  }

  /** Address and subprotocols of a WebSocket. */
  socket(path: string): [url: string, protocols: string[]] {
    return [`${this.#url.replace(/^http/, "ws")}${path}`, ["vicinity", this.#credential]];
  }
}
