import { describe, expect, it } from "vitest";
import { clientAddressOf, clientNetworkOf, limitedAddressOf, limitedNetworkOf } from "./client-network.ts";

const from = (address: string): Headers => new Headers({ "cf-connecting-ip": address });
const request = (address: string, url = "https://api.example.com/v1/events") => ({
  url,
  headers: address === "" ? new Headers() : from(address),
});
const local = "http://localhost:8787/v1/events";

describe("clientAddressOf", () => {
  it("returns an IPv4 address, and the /64 of an IPv6 address however it is written", () => {
    expect(clientAddressOf(from("192.0.2.7"))).toBe("192.0.2.7");
    for (const mapped of ["::ffff:192.0.2.7", "::FFFF:c000:207", "0:0:0:0:0:ffff:c000:0207"])
      expect(clientAddressOf(from(mapped)), mapped).toBe("192.0.2.7");
    const sameNetwork = [
      "2001:db8:0:1::1",
      "2001:DB8:0:1:ffff::",
      "2001:0db8:0000:0001:1:2:3:4",
      "2001:db8::1:1:2:3:4",
    ];
    for (const address of sameNetwork)
      expect(clientAddressOf(from(address)), address).toBe("2001:db8:0:1::/64");
    expect(clientAddressOf(from("2001:db8:0:2::1"))).toBe("2001:db8:0:2::/64");
    expect(clientAddressOf(from("::1"))).toBe("0:0:0:0::/64");
  });

  it("returns one address for requests without the header", () => {
    expect(clientAddressOf(new Headers())).toBe("unknown");
    expect(clientAddressOf(from(" "))).toBe("unknown");
  });
});

describe("clientNetworkOf", () => {
  it("returns the /24 of an IPv4 address, and the /48 of an IPv6 address", () => {
    expect(clientNetworkOf(from("192.0.2.7"))).toBe("192.0.2.0/24");
    expect(clientNetworkOf(from("192.0.2.200"))).toBe("192.0.2.0/24");
    expect(clientNetworkOf(from("::ffff:192.0.2.7"))).toBe("192.0.2.0/24");
    expect(clientNetworkOf(from("2001:db8:1:2::1"))).toBe("2001:db8:1::/48");
    expect(clientNetworkOf(from("2001:0DB8:0001:ffff::"))).toBe("2001:db8:1::/48");
    expect(clientNetworkOf(from("2001:db8:2::1"))).toBe("2001:db8:2::/48");
    expect(clientNetworkOf(new Headers())).toBe("unknown");
  });
});

describe.each([
  ["limitedAddressOf", limitedAddressOf, clientAddressOf],
  ["limitedNetworkOf", limitedNetworkOf, clientNetworkOf],
])("%s", (_name, limited, unlimited) => {
  it("returns null for this machine only", () => {
    for (const own of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"])
      expect(limited(request(own)), own).toBeNull();
    const others = ["192.0.2.7", "2001:db8::1", "10.0.0.1", "::ffff:c000:207", "::2", "::", "0:0:0:1::1"];
    for (const other of others) expect(limited(request(other)), other).toBe(unlimited(from(other)));
  });

  it("sets no limit without an address on this machine, and counts together those of other Workers", () => {
    expect(limited(request("", local))).toBeNull();
    expect(limited(request(""))).toBe("unknown");
    expect(limited(request("192.0.2.7", local))).not.toBeNull();
  });
});
