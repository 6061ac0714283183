/** Headers of a request whose body is NDJSON. */
export const ndjsonHeaders = { "content-type": "application/x-ndjson" };

/** Returns values as NDJSON, one line each. */
export const toNdjson = (values: unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join("\n");
