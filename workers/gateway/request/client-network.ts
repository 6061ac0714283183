/** Address of requests that did not come through Cloudflare, as in local development. */
const localAddress = "local";

/** Returns the four bytes of an IPv4 address as text; null for any other text. */
function parseIpv4(text: string): string[] | null {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
    ? parts
    : null;
}

/** Returns the eight groups of an IPv6 address without leading zeros; null for any other text. */
function parseIpv6(text: string): string[] | null {
  const halves = text.toLowerCase().split("::");
  if (!text.includes(":") || halves.length > 2) return null;
  const [head, tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? groups.map((group) => group.replace(/^0+(?=.)/, ""))
    : null;
}

/** Returns the IPv4 address that an IPv6 address maps (`::ffff:192.0.2.1`); other texts as they are. */
const withoutMapping = (text: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1] ?? text;

const addressOf = (headers: Headers): string =>
  withoutMapping(headers.get("cf-connecting-ip")?.trim() || localAddress);

/**
 * Returns the client's address, as limits count it: an IPv4 address, or the /64 of an IPv6 address, since one client has
 * all addresses of a /64. Cloudflare sets the header; clients cannot.
 */
export function clientAddressOf(headers: Headers): string {
  const address = addressOf(headers);
  const groups = parseIpv6(address);
  return groups === null ? address : `${groups.slice(0, 4).join(":")}::/64`;
}

/** Addresses of this machine. Cloudflare never reports one, so that only local development has requests from them. */
const ownAddresses = new Set([localAddress, "127.0.0.1", "0:0:0:0::/64"]);

/** Returns the client's address as {@link clientAddressOf} does; null for requests from this machine, which have no limit. */
export function limitedAddressOf(headers: Headers): string | null {
  const address = clientAddressOf(headers);
  return ownAddresses.has(address) ? null : address;
}

/**
 * Returns the client's network: the /24 of an IPv4 address, or the /48 of an IPv6 address. One customer of a provider may
 * have a whole /48, which is 65,536 networks of size /64.
 */
export function clientNetworkOf(headers: Headers): string {
  const address = addressOf(headers);
  const parts = parseIpv4(address);
  if (parts !== null) return `${parts.slice(0, 3).join(".")}.0/24`;
  const groups = parseIpv6(address);
  return groups === null ? address : `${groups.slice(0, 3).join(":")}::/48`;
}

/** Returns the client's network as {@link clientNetworkOf} does; null for requests from this machine, which have no limit. */
export const limitedNetworkOf = (headers: Headers): string | null =>
  limitedAddressOf(headers) === null ? null : clientNetworkOf(headers);
