/** What R2 tells about an object. */
export interface LogObject {
  key: string;
  size: number;
  etag: string;
  uploaded: Date;
  customMetadata?: Record<string, string>;
}

/** An object with its content. */
export interface LogObjectBody extends LogObject {
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
}

/** A page of the keys of a bucket, in their order. */
export interface LogObjectPage {
  objects: LogObject[];
  delimitedPrefixes: string[];
  truncated: boolean;
  cursor?: string;
}

/** The methods of an R2 bucket that the training log uses, in the types that Node has too. */
export interface LogBucket {
  list(options: {
    prefix?: string;
    delimiter?: string;
    startAfter?: string;
    cursor?: string;
    limit?: number;
  }): Promise<LogObjectPage>;
  head(key: string): Promise<LogObject | null>;
  get(key: string): Promise<LogObjectBody | null>;
  /** Returns null if the stored object is not the one that `onlyIf` demands. */
  put(
    key: string,
    value: ArrayBuffer | ArrayBufferView<ArrayBuffer> | string,
    options?: {
      onlyIf?: { etagMatches?: string; etagDoesNotMatch?: string };
      customMetadata?: Record<string, string>;
    },
  ): Promise<{ etag: string } | null>;
  delete(keys: string | string[]): Promise<void>;
}
