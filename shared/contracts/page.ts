/** One page of a list. `nextCursor` is absent on the last page. */
export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

/** Which page of a list to return: at most `limit` items after `cursor`, the `nextCursor` of the previous page. */
export interface PageQuery {
  limit: number;
  cursor?: string;
}
