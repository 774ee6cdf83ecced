import { BlockList, isIP } from "node:net";

/**
 * Networks that are not the public internet, from the IANA special-purpose registries (RFC 6890 and its successors).
 * Cloud metadata lives in some of them (169.254.169.254, 100.100.100.200, 192.0.0.192, fd00:ec2::254).
 */
const notPublicV4: [network: string, prefix: number][] = [
  ["0.0.0.0", 8], // "this network"; many systems take 0.0.0.0 for loopback
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carrier-grade NAT
  ["127.0.0.0", 8], // loopback
  ["168.63.129.16", 32], // Azure's platform address: public by number, internal by meaning
  ["169.254.0.0", 16], // link-local
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.31.196.0", 24], // AS112
  ["192.52.193.0", 24], // AMT
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["192.175.48.0", 24], // AS112
  ["198.18.0.0", 15], // benchmarking
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved and broadcast
];

/** Only 2000::/3 is handed out as public; everything else (loopback, unique local, NAT64, mapped IPv4 …) is outside. */
const publicV6: [network: string, prefix: number] = ["2000::", 3];

const notPublicV6: [network: string, prefix: number][] = [
  ["2001::", 23], // protocol assignments: Teredo, ORCHID, benchmarking …
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4: an IPv4 address in disguise
  ["2620:4f:8000::", 48], // AS112
  ["3fff::", 20], // documentation
];

const refusedV4 = listOf(notPublicV4, "ipv4");
const refusedV6 = listOf(notPublicV6, "ipv6");
const allowedV6 = listOf([publicV6], "ipv6");

/** True for an IP address anyone on the internet could be reached at; false for all others, and for what is no IP. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refusedV4.check(address, "ipv4");
  if (family === 6) return allowedV6.check(address, "ipv6") && !refusedV6.check(address, "ipv6");
  return false;
}

function listOf(networks: [string, number][], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}
