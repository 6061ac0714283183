import type { RequestMeter, RequestPoint } from "./request-point.ts";

/**
 * One Workers Analytics Engine data point per request. The order of blobs and doubles is a contract with
 * `docs/analytics.sql`; a new one goes to the end.
 */
export class AnalyticsMeter implements RequestMeter {
  readonly #dataset: AnalyticsEngineDataset;

  constructor(dataset: AnalyticsEngineDataset) {
    this.#dataset = dataset;
  }

  record(point: RequestPoint): void {
    this.#dataset.writeDataPoint({
      indexes: [point.application],
      blobs: [point.route, point.method, point.code, point.modelVersion, point.fallback, point.application],
      doubles: [point.status, point.latencyMs, point.candidates],
    });
  }
}
