import fc from "fast-check";
import { expect, test } from "vitest";

import { redact, withoutSecrets } from "../../src/api/redact.js";

const KEY = "eyJhbGciOi/J9+e30.s3cret";

test("a secret is taken out however it is written", () => {
  const text = `key ${KEY}, in a query ${encodeURIComponent(KEY)}, in JSON ${JSON.stringify(KEY)}`;

  expect(redact(text, [KEY])).toBe('key [REDACTED], in a query [REDACTED], in JSON "[REDACTED]"');
});

test("what looks like a bearer token is taken out though nobody knows it", () => {
  expect(redact("authorization: Bearer abc.def-123\r\n", [])).toBe(
    "authorization: Bearer [REDACTED]\r\n",
  );
});

test("any text with the secret anywhere in it comes out without it", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ minLength: 4 }), (a, b, secret) => {
      fc.pre(!"[REDACTED]".includes(secret));
      return !redact(a + secret + b, [secret]).includes(secret);
    }),
  );
});

test("an error without a secret stays the one it is", () => {
  const error = new TypeError("fetch failed", { cause: new Error("ECONNRESET") });

  expect(withoutSecrets(error, [KEY])).toBe(error);
});

test("an error that quotes a secret, or whose cause does, is replaced by one that does not", () => {
  const error = new TypeError("fetch failed", { cause: new Error(`bad header Bearer ${KEY}`) });

  const clean = withoutSecrets(error, [KEY]) as Error;

  expect(clean.message).toBe("fetch failed");
  expect(clean.name).toBe("TypeError");
  expect(String((clean.cause as Error).stack)).not.toContain(KEY);
  expect((clean.cause as Error).message).toBe("bad header Bearer [REDACTED]");
});
