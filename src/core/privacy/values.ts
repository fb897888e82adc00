import { createHmac } from "node:crypto";

import type { Pii } from "../fields.js";
import { canonical, type Json } from "../json.js";

/** A keyed hash of a value. */
export type Hash = (value: Json, pii: Pii | undefined) => string;

/** Hex digits of a keyed hash: 128 bits, so that no two values of any account ever meet. */
const DIGITS = 32;

/**
 * HMAC-SHA-256 of a value's text, the first 32 hex digits. A number and its digits as text are the
 * same value, and so are two spellings of an e-mail address that differ in case: rows of all
 * streams join on it.
 */
export function keyedHash(key: string): Hash {
  return (value, pii) => {
    const text = typeof value === "string" ? value : canonical(value);
    const same = pii === "email" ? text.trim().toLowerCase() : text;
    return createHmac("sha256", key).update(same).digest("hex").slice(0, DIGITS);
  };
}

/** In place of a masked value. */
export const MASK = "***";

const V4 =
  /^((?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){2})\.(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;

/** The network of an address; null for what is no address, which nobody could truncate. */
export function truncateIp(value: Json): string | null {
  if (typeof value !== "string") return null;
  const text = value.trim();
  const v4 = V4.exec(text)?.[1];
  if (v4 !== undefined) return `${v4}.0`;
  const mapped = /^::ffff:([\d.]+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return truncateIp(mapped);
  const host = hostOf(text);
  if (host === null) return null;
  const [head = "", tail] = host.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...Array.from({ length: zeros }, () => "0"), ...back];
  // As ::ffff:102:304, the other spelling of an IPv4 address.
  const isV4 = groups.slice(0, 5).every((g) => g === "0") && groups[5] === "ffff";
  if (isV4) {
    const [high = 0, low = 0] = groups.slice(6).map((g) => parseInt(g, 16));
    return [high >> 8, high & 255, low >> 8, 0].join(".");
  }
  return `${groups.slice(0, 3).join(":")}::`;
}

/** An IPv6 address in one spelling; null for anything else. */
function hostOf(text: string): string | null {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return null;
  const url = `http://[${text}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}
