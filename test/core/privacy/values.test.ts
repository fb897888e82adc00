import { createHmac } from "node:crypto";

import fc from "fast-check";
import { expect, test } from "vitest";

import { keyedHash, truncateIp } from "../../../src/core/privacy/values.js";

const KEY = "a key of the tests";
const hash = keyedHash(KEY);

test("a hash is the HMAC of the text, so that anybody with the key can make it too", () => {
  const expected = createHmac("sha256", KEY).update("ada@example.org").digest("hex").slice(0, 32);

  expect(hash("ada@example.org", undefined)).toBe(expected);
});

test("an address has one hash however it is written, and other texts have their own", () => {
  expect(hash(" Ada@Example.org ", "email")).toBe(hash("ada@example.org", "email"));
  expect(hash("A-7", "identifier")).not.toBe(hash("a-7", "identifier"));
});

test("a number has the hash of its digits, beyond 2^53 too", () => {
  expect(hash(4711, "identifier")).toBe(hash("4711", "identifier"));
  expect(hash(9007199254740993n, "identifier")).toBe(hash("9007199254740993", "identifier"));
});

test("any two different texts have different hashes, and another key gives others", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(hash(a, undefined) === hash(b, undefined)).toBe(a === b);
      expect(keyedHash("another key of tests")(a, undefined)).not.toBe(hash(a, undefined));
    }),
  );
});

test.each([
  ["203.0.113.77", "203.0.113.0"],
  [" 10.0.0.255 ", "10.0.0.0"],
  ["2001:db8:abcd:12::77", "2001:db8:abcd::"],
  ["2001:0DB8:ABCD:0012:0:0:0:1", "2001:db8:abcd::"],
  ["::1", "0:0:0::"],
  ["2001:db8::", "2001:db8:0::"],
  ["::ffff:203.0.113.77", "203.0.113.0"],
  ["::ffff:cb00:714d", "203.0.113.0"],
  ["0:0:0:0:0:ffff:203.0.113.77", "203.0.113.0"],
])("%s is truncated to %s", (address, network) => {
  expect(truncateIp(address)).toBe(network);
});

test.each([
  "Clearwater, FL",
  "203.0.113",
  "203.0.113.256",
  "203.0.113.7:8080",
  "1::2::3",
  ":",
  "",
  7,
])("%j is no address and becomes null", (value) => {
  expect(truncateIp(value)).toBeNull();
});

test("any two addresses of a network become the same one, which tells nothing of the host", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 255 }), (address, host) => {
      const other = address.replace(/\d+$/, String(host));
      expect(truncateIp(other)).toBe(truncateIp(address));
    }),
  );
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const network = truncateIp(address);
      expect(network).not.toBeNull();
      expect(truncateIp(network)).toBe(network);
    }),
  );
});
