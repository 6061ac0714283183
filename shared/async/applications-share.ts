import type { ApplicationsShare } from "../contracts/applications-share.ts";
import { crc32 } from "../hash/crc32.ts";

/** Returns the index of the share that an application is in. */
export const shareOf = (application: string, of: number): number =>
  crc32(new TextEncoder().encode(application)) % of;

/**
 * Returns the applications of a share, at most `max`, since a request may make 1,000 calls. Where there are more, each
 * `turn` begins elsewhere: a number that grows by one for each call.
 */
export function applicationsInShare(
  applications: readonly string[],
  { index, of }: ApplicationsShare,
  max: number,
  turn: number,
): string[] {
  const own = applications.filter((application) => shareOf(application, of) === index);
  const first = own.length > max ? (turn * max) % own.length : 0;
  return [...own.slice(first), ...own.slice(0, first)].slice(0, max);
}
