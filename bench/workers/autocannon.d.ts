/** What is used of autocannon, which brings no types. */
declare module "autocannon" {
  interface LoadRequest {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string;
    /** Called before each request; answers the request to send. */
    setupRequest?(request: LoadRequest): LoadRequest;
    onResponse?(status: number, body: string, context: object, headers: Record<string, string>): void;
  }

  interface LoadOptions {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Seconds after which a request counts as lost. */
    timeout: number;
    requests: LoadRequest[];
  }

  interface LoadResult {
    /** Connections that failed, timeouts among them. */
    errors: number;
  }

  interface RunningLoad {
    /** `ms` is from the request's last byte to the answer's. */
    on(
      event: "response",
      listener: (client: unknown, status: number, bytes: number, ms: number) => void,
    ): void;
  }

  export default function autocannon(
    options: LoadOptions,
    done: (error: Error | null, result: LoadResult) => void,
  ): RunningLoad;
}
