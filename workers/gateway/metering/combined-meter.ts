import type { RequestMeter, RequestPoint } from "./request-meter.ts";

/** Passes each data point to several meters. */
export class CombinedMeter implements RequestMeter {
  readonly #meters: readonly RequestMeter[];

  constructor(...meters: RequestMeter[]) {
    this.#meters = meters;
  }

  record(point: RequestPoint): void {
    for (const meter of this.#meters) meter.record(point);
  }
}
