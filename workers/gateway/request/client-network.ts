import { isLocalHost } from "../keys/development-keys.ts";

/** Stands for the address of requests without one: of local tests, and of a Worker that does not pass it on. */
const unknownAddress = "unknown";

/** Returns the four bytes of an IPv4 address as text; null for any other text. */
function parseIpv4(text: string): string[] | null {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
    ? parts
    : null;
}

/** Returns an IPv6 address whose last four bytes are written as an IPv4 address (`::ffff:192.0.2.1`) with hex groups. */
const withoutDots = (text: string): string =>
  text.replace(/(?<=:)[\d.]+$/, (tail) => {
    const bytes = parseIpv4(tail)?.map((byte) => Number(byte).toString(16).padStart(2, "0"));
    return bytes ? `${bytes[0]}${bytes[1]}:${bytes[2]}${bytes[3]}` : tail;
  });

/** Returns the eight groups of an IPv6 address without leading zeros; null for any other text. */
function parseIpv6(text: string): string[] | null {
  const halves = withoutDots(text).toLowerCase().split("::");
  if (!text.includes(":") || halves.length > 2) return null;
  const [head, tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? groups.map((group) => group.replace(/^0+(?=.)/, ""))
    : null;
}

/** Returns the IPv4 address that the groups of an IPv6 address map (`::ffff:c000:201`); other groups as they are. */
const withoutMapping = (groups: string[]): string[] =>
  groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff"
    ? groups.slice(6).flatMap((group) => {
        const value = Number.parseInt(group, 16);
        return [String(value >> 8), String(value & 255)];
      })
    : groups;

/** Returns the four bytes of a client's IPv4 address, the eight groups of an IPv6 address, or the whole of any other text. */
function addressParts(headers: Headers): string[] {
  const text = headers.get("cf-connecting-ip")?.trim() || unknownAddress;
  const groups = parseIpv6(text);
  return groups ? withoutMapping(groups) : (parseIpv4(text) ?? [text]);
}

/**
 * Returns the client's address, as limits count it: an IPv4 address, or the /64 of an IPv6 address, since one client has
 * all addresses of a /64. Cloudflare sets the header; clients cannot.
 */
export function clientAddressOf(headers: Headers): string {
  const parts = addressParts(headers);
  return parts.length === 8 ? `${parts.slice(0, 4).join(":")}::/64` : parts.join(".");
}

/** Addresses of this machine. Cloudflare never reports one, so that only local development has requests from them. */
const ownAddresses = new Set(["127.0.0.1", "0.0.0.0.0.0.0.1"]);

/** Returns whether a request comes from this machine: from its own address, or to a local name without any address. */
function isOwn({ url, headers }: Pick<Request, "url" | "headers">): boolean {
  const address = addressParts(headers).join(".");
  return ownAddresses.has(address) || (address === unknownAddress && isLocalHost(new URL(url).host));
}

/**
 * Returns the client's address as {@link clientAddressOf} does; null for requests from this machine, which have no limit.
 * All requests of Workers that pass no address on count as those of one client.
 */
export const limitedAddressOf = (request: Pick<Request, "url" | "headers">): string | null =>
  isOwn(request) ? null : clientAddressOf(request.headers);

/**
 * Returns the client's network: the /24 of an IPv4 address, or the /48 of an IPv6 address. One customer of a provider may
 * have a whole /48, which is 65,536 networks of size /64.
 */
export function clientNetworkOf(headers: Headers): string {
  const parts = addressParts(headers);
  if (parts.length === 8) return `${parts.slice(0, 3).join(":")}::/48`;
  return parts.length === 4 ? `${parts.slice(0, 3).join(".")}.0/24` : parts.join(".");
}

/** Returns the client's network as {@link clientNetworkOf} does; null for requests from this machine, which have no limit. */
export const limitedNetworkOf = (request: Pick<Request, "url" | "headers">): string | null =>
  isOwn(request) ? null : clientNetworkOf(request.headers);
