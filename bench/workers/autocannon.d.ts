/** Types of the used parts of autocannon, which ships without types. */
declare module "autocannon" {
  interface LoadRequest {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string;
    /** Called before each request; returns the request to send. */
    setupRequest?(request: LoadRequest): LoadRequest;
    onResponse?(status: number, body: string, context: object, headers: Record<string, string>): void;
  }

  interface LoadOptions {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Seconds after which a request counts as failed. */
    timeout: number;
    requests: LoadRequest[];
  }

  interface LoadResult {
    /** Number of failed connections and timeouts. */
    errors: number;
  }

  interface RunningLoad {
    /**
     * Called for each response. `ms` is the time from the last byte of the request to the last byte of the response.
     */
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
