import type { RequestMeter, RequestPoint } from "./request-meter.ts";

/**
 * Writes one JSON line for each request that failed with a 5xx problem. Other requests are only counted by the
 * analytics.
 */
export class LogMeter implements RequestMeter {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  record(point: RequestPoint): void {
    if (point.status >= 500 && point.code !== "")
      this.#write(JSON.stringify({ event: "request failed", ...point }));
  }
}
