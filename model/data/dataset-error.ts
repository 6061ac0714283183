/** Thrown when a dataset cannot be read. The message says which file, what was found, and what is right. */
export class DatasetError extends Error {
  override name = "DatasetError";
}
