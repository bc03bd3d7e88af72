/**
 * Addresses in their three forms: `host:port` text (IPv6 in brackets), the 8 or 20 bytes of records (address,
 * then the port as i32; RocketMQ: MessageExt.socketAddress2ByteBuffer), and {@link SocketAddress}.
 */
import type { SocketAddress } from "@orbitmq/host";
import { WireError } from "../wire-error.ts";

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const MAPPED_V4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** `127.0.0.1:9876`, `[::1]:9876`, `broker.local:10911`. */
export function formatAddress(address: SocketAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * Parses `host:port`. An IPv6 address may stand without brackets, as RocketMQ writes it: the last colon counts.
 * Throws WireError ADDRESS_INVALID.
 */
export function parseAddress(text: string): SocketAddress {
  const colon = text.lastIndexOf(":");
  const portText = text.slice(colon + 1);
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  let host = text.slice(0, Math.max(colon, 0)).trim();
  if (host.startsWith("[") && host.endsWith("]")) host = host.slice(1, -1);
  if (host === "" || !(port <= 65_535)) throw invalid(text);
  return { host, port };
}

/** 8 bytes for IPv4 (IPv4-mapped IPv6 included), 20 for IPv6. Throws WireError ADDRESS_INVALID for a name. */
export function encodeHostBytes(address: SocketAddress): Buffer {
  const v4 = parseV4(address.host);
  const ip = v4 ?? parseV6(address.host);
  if (ip === undefined) throw invalid(formatAddress(address));
  const bytes = Buffer.alloc(ip.length + 4);
  bytes.set(ip);
  bytes.writeInt32BE(address.port, ip.length);
  return bytes;
}

/** The inverse of {@link encodeHostBytes}. Throws WireError ADDRESS_INVALID unless there are 8 or 20 bytes. */
export function decodeHostBytes(bytes: Uint8Array): SocketAddress {
  if (bytes.length !== 8 && bytes.length !== 20) {
    throw new WireError("ADDRESS_INVALID", `an address has 8 or 20 bytes, not ${bytes.length}`);
  }
  const ip = bytes.subarray(0, bytes.length - 4);
  const port = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readInt32BE(ip.length);
  return { host: ip.length === 4 ? ip.join(".") : formatV6(ip), port };
}

/** The address in a record's bytes as `host:port`. Throws as {@link decodeHostBytes}. */
export function formatHostBytes(bytes: Uint8Array): string {
  if (bytes.length !== 8) return formatAddress(decodeHostBytes(bytes));
  const port = (bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) | bytes[7]!;
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}:${port}`;
}

/** 4 bytes, or `undefined` when `host` is no IPv4 address. */
export function parseV4(host: string): Uint8Array | undefined {
  const match = V4.exec(MAPPED_V4.exec(host)?.[1] ?? host);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined;
}

/** 16 bytes, or `undefined` when `host` is no IPv6 address. A zone (`%eth0`) is dropped. */
export function parseV6(host: string): Uint8Array | undefined {
  const text = host.split("%")[0]!;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  for (const [i, group] of [...head, ...new Array<number>(missing).fill(0), ...tail].entries()) {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  }
  return bytes;
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const last = parts.at(-1)!;
  const v4 = last.includes(".") ? parseV4(last) : undefined;
  const hex = v4 === undefined ? parts : parts.slice(0, -1);
  if (!hex.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const values = hex.map((part) => Number.parseInt(part, 16));
  return v4 === undefined ? values : [...values, (v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!];
}

/** RFC 5952: lower case, the longest run of zero groups as `::`. */
function formatV6(ip: Uint8Array): string {
  const values = Array.from({ length: 8 }, (_, i) => (ip[2 * i]! << 8) | ip[2 * i + 1]!);
  let runAt = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && values[end] === 0) end++;
    if (end - i > runLength) {
      runAt = i;
      runLength = end - i;
    }
  }
  const hex = values.map((value) => value.toString(16));
  if (runAt < 0) return hex.join(":");
  return `${hex.slice(0, runAt).join(":")}::${hex.slice(runAt + runLength).join(":")}`;
}

function invalid(text: string): WireError {
  return new WireError("ADDRESS_INVALID", `${JSON.stringify(text.slice(0, 128))} is not host:port`);
}
