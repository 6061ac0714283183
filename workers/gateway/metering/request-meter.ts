/** The data point of one request. It holds only our own names and figures, nothing that identifies a user. */
export interface RequestPoint {
  /** The id in the header `x-request-id`, which the log also names. */
  requestId: string;
  method: string;
  /** The route's pattern (`/v1/users/:id`), never the path. */
  route: string;
  status: number;
  /** Code of the problem; empty for a success. */
  code: string;
  /** The caller's application; empty for a request without a valid credential. */
  application: string;
  /** Milliseconds from the request's arrival to its response. */
  latencyMs: number;
  /** Empty where no model ranked. */
  modelVersion: string;
  /** Number of products that were ranked. */
  candidates: number;
  /** Names of the stages that were skipped, joined by commas; empty where none was. */
  fallback: string;
}

/** Records the data points of requests. `record` never throws: a response must not depend on its measurement. */
export interface RequestMeter {
  record(point: RequestPoint): void;
}
