import fc from "fast-check";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import { parseBody, parseRows } from "../../src/api/decode.js";
import { Fault } from "../../src/api/fault.js";
import { bench, errorOf, readOnce, rows } from "./support/client.js";
import { play, send, serve } from "./support/server.js";

/** Decodes in one go. */
function parse(text: string | Buffer): unknown {
  return parseBody(Buffer.from(text));
}

/** Decodes piece by piece; the rows, and what was round them. */
async function parseInPieces(
  text: string | Buffer,
  size = 7,
): Promise<{ rows: unknown[]; rest: unknown; parts: number[] }> {
  const bytes = Buffer.from(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  }
  const decoded = parseRows(pieces());
  const found: unknown[] = [];
  const parts: number[] = [];
  for (;;) {
    const next = await decoded.next();
    if (next.done === true) return { rows: found, rest: next.value, parts };
    found.push(...next.value);
    parts.push(next.value.length);
  }
}

const MALFORMED: readonly (readonly [string, string | Buffer])[] = [
  ["cut off in a list", '[{"id":1},{"id":2}'],
  ["cut off in a string", '[{"name":"Ada'],
  ["cut off in a number", "[1, 2"],
  ["followed by text", "[] trailing"],
  ["two documents", "[1][2]"],
  ["nothing", ""],
  ["blank", " \n"],
  ["a bare word", "[undefined]"],
  ["not UTF-8", Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])],
  ["still packed", gzipSync("[]")],
];

describe("a whole body", () => {
  test.each(MALFORMED)("that is %s is worth a retry, and not quoted", (_, text) => {
    let fault: unknown;
    try {
      parse(text);
    } catch (error) {
      fault = error;
    }

    expect(fault).toBeInstanceOf(Fault);
    expect((fault as Fault).facts).toMatchObject({ kind: "api_contract", retry: "backoff" });
    expect(JSON.stringify(fault)).not.toContain("Ada");
    expect((fault as Fault).cause).toBeUndefined();
  });

  test("keeps integers beyond 2^53 exactly, wherever they stand", () => {
    const text =
      '[{"id":9007199254740993,"deep":{"list":[-12345678901234567890,1]},"ok":9007199254740991}]';

    expect(parse(text)).toEqual([
      { id: 9007199254740993n, deep: { list: [-12345678901234567890n, 1] }, ok: 9007199254740991 },
    ]);
  });

  test("keeps the smallest integer that a double rounds", () => {
    expect(parse("[9007199254740993]")).toEqual([9007199254740993n]);
  });

  test("gives a long integer that a double holds as a number", () => {
    expect(parse("[0001]".replace("000", "1000000000000000"))).toEqual([10000000000000001n]);
    expect(parse("[1000000000000000]")).toEqual([1000000000000000]);
  });

  test("leaves digits in strings and fractions alone", () => {
    const text = '[{"phone":"00491701234567890123","score":45.742000000000004000001,"x":1e20}]';

    expect(parse(text)).toEqual([
      { phone: "00491701234567890123", score: 45.742000000000004, x: 1e20 },
    ]);
  });

  test.each(["1e309", "-1E+400", "1e00309", "9".repeat(400)])(
    "gives the number %s, which no double holds, as its text",
    (text) => {
      expect(parse(`{"a":[{"n":${text}}]}`)).toEqual({ a: [{ n: text }] });
    },
  );

  test("any integer at all comes out as it went in", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.string(), (n, pad) => {
        const text = `[${JSON.stringify(pad)}, {"n": ${n.toString()}}]`;
        const [, { n: read }] = parse(text) as [unknown, { n: number | bigint }];
        return BigInt(read) === n && Number.isSafeInteger(Number(n)) === (typeof read === "number");
      }),
    );
  });

  test("keeps keys such as __proto__ as data", () => {
    const plain = parse('[{"__proto__":{"admin":true},"constructor":1}]') as object[];
    const exact = parse('[{"__proto__":{"admin":true},"n":9007199254740993}]') as object[];

    for (const [row] of [plain, exact]) {
      expect(Object.hasOwn(row!, "__proto__")).toBe(true);
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
      expect((row as { admin?: unknown }).admin).toBeUndefined();
    }
  });

  test("may begin with a byte-order mark", () => {
    expect(parse("\uFEFF[1]")).toEqual([1]);
  });
});

describe("a body in pieces", () => {
  test("any JSON list, cut anywhere, gives the same rows as in one go", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ depthSize: "small" }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        async (list, size) => {
          const text = JSON.stringify(list);
          const decoded = await parseInPieces(text, size);
          expect(decoded.rows).toEqual(parse(text));
          expect(decoded.rest).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each(MALFORMED)("that is %s is worth a retry", async (_, text) => {
    await expect(parseInPieces(text)).rejects.toBeInstanceOf(Fault);
  });

  test("hands on at most 500 rows at once", async () => {
    const { parts } = await parseInPieces(JSON.stringify(rows(1_700)), 65_536);

    expect(parts.reduce((a, b) => a + b)).toBe(1_700);
    expect(Math.max(...parts)).toBeLessThanOrEqual(500);
  });

  test("takes the rows out of an envelope and leaves the rest of it", async () => {
    const text = '{"data":[{"id":1,"data":[7]},{"id":2}],"pagination":{"next_cursor":88,"of":[1]}}';

    expect(await parseInPieces(text)).toMatchObject({
      rows: [{ id: 1, data: [7] }, { id: 2 }],
      rest: { data: [], pagination: { next_cursor: 88, of: [1] } },
    });
  });

  test("that is an error object keeps what it says", async () => {
    expect((await parseInPieces('{"message":"Invalid Token"}')).rest).toEqual({
      message: "Invalid Token",
    });
  });

  test("keeps integers beyond 2^53, numbers that no double holds, and __proto__", async () => {
    const text = '[{"id":9007199254740993,"n":1e309,"__proto__":{"x":1},"t":"ünï😀"}]';
    const { rows: found } = await parseInPieces(text, 1);

    expect(found).toMatchObject([{ id: 9007199254740993n, n: "1e309", t: "ünï😀" }]);
    expect(Object.hasOwn(found[0] as object, "__proto__")).toBe(true);
  });
});

describe("a body on the wire", () => {
  const TEXT = JSON.stringify(rows(50));
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
  const THRICE = { retry: { maxAttempts: 3, maxSeconds: 60 } } as const;

  test.each([
    ["gzip", gzipSync],
    ["GZIP", gzipSync],
    ["x-gzip", gzipSync],
    ["br", brotliCompressSync],
  ])("that is packed is unpacked (%s)", async (coding, pack) => {
    const server = await play({
      headers: { "content-encoding": coding },
      body: pack(TEXT),
    });

    expect(await readOnce(bench(server.url, THRICE).source())).toEqual(rows(50));
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("gzip, br");
  });

  test("that nobody wants is not unpacked", async () => {
    const server = await serve((_, response, n) => {
      const packed = { "content-encoding": "gzip" };
      if (n === 1) send(response, { status: 503, headers: packed, body: gzipSync("later") });
      else if (n === 2) send(response, { status: 503, headers: packed, body: "no gzip" });
      else send(response, { body: rows(9) });
    });

    expect(await readOnce(bench(server.url, THRICE).source())).toEqual(rows(9));
  });

  test.each([
    ["packed, though nothing says so", {}, gzipSync("[]")],
    ["not packed, though its header says so", { "content-encoding": "gzip" }, "[]"],
    ["not packed so, though its header says so", { "content-encoding": "br" }, "[]xx plain"],
    ["packed in a way not asked for", { "content-encoding": "zstd" }, gzipSync("[]")],
    ["packed and cut off", { "content-encoding": "gzip" }, half(gzipSync(TEXT))],
    ["packed and cut off", { "content-encoding": "br" }, half(brotliCompressSync(TEXT))],
    ["cut off", {}, '[{"id":1}'],
    ["two documents", {}, "[][]"],
  ])("that is %s is asked for again, then breaks the contract", async (_, headers, body) => {
    const server = await play({ headers, body });

    const error = await errorOf(readOnce(bench(server.url, THRICE).source()));

    expect(server.requests).toHaveLength(3);
    expect(error.kind).toBe("api_contract");
    expect(error.message).toContain("3 times");
  });

  test("that is shorter than it was announced is asked for again, never taken for the end", async () => {
    const server = await serve((_, response, n) => {
      if (n === 3) {
        send(response, { body: rows(9) });
        return;
      }
      response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
      response.write("[]", () => response.socket?.end());
    });

    expect(await readOnce(bench(server.url, THRICE).source())).toEqual(rows(9));
  });

  test("that is shorter than announced for good breaks the contract", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
      response.write("[]", () => response.socket?.end());
    });

    const error = await errorOf(readOnce(bench(server.url, THRICE).source()));

    expect(error.kind).toBe("api_contract");
    expect(error.message).toContain("cut off");
  });
});
