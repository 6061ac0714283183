/** What to do with JSON, which the importer does not read. */
export const jsonAdvice =
  "JSON lines go to the API as they are, to POST /v1/products/bulk and POST /v1/events/bulk";

/** What to do with files that are not read, by the endings of their names. */
const advice: readonly [RegExp, string][] = [
  [/\.(gz|zip|zst|bz2|xz|7z|tar|tgz)$/i, "unpack it first"],
  [/\.(xlsx?|ods|numbers)$/i, "save it as CSV"],
  [/\.(parquet|feather|avro|orc|sqlite|db|pkl)$/i, "convert it to CSV"],
  [/\.(json|jsonl|ndjson)$/i, jsonAdvice],
  [/\.(txt|dat|data)$/i, "name it .csv, .tsv, .inter or .item if it is a table with a header"],
];

/** Returns what to do with a file that is not read; null where its name says nothing. */
export const adviceFor = (name: string): string | null =>
  advice.find(([ending]) => ending.test(name))?.[1] ?? null;
