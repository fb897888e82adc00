import { createServer, type Server } from "node:http";
import { connect } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { bench, errorOf, readOnce, rows } from "./support/client.js";
import { addressOf, listening, play } from "./support/server.js";

/** A proxy that sends every tunnel to one address, and notes who asked for what. */
async function proxyTo(target: string): Promise<{ url: string; asked: string[]; server: Server }> {
  const asked: string[] = [];
  const server = createServer();
  server.on("connect", (request, client) => {
    asked.push(`${request.url ?? ""} ${request.headers["proxy-authorization"] ?? "-"}`);
    const upstream = connect(Number(new URL(target).port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
    client.on("close", () => upstream.destroy());
    onTestFinished(() => void client.destroy());
  });
  await listening(server);
  onTestFinished(() => void server.close());
  return { url: addressOf(server), asked, server };
}

test("a proxy that the environment names is used, with its password", async () => {
  const api = await play({ body: rows(2) });
  const proxy = await proxyTo(api.url);
  const env = { http_proxy: proxy.url.replace("http://", "http://me:hunter2@") };
  const { source } = bench("http://kb4.test", { env });

  expect(await readOnce(source())).toEqual(rows(2));

  const basic = Buffer.from("me:hunter2").toString("base64");
  expect(proxy.asked).toEqual([`kb4.test:80 Basic ${basic}`]);
});

test("a proxy is not asked for this machine, nor for what NO_PROXY lists", async () => {
  const api = await play({ body: rows(2) });
  const proxy = await proxyTo(api.url);
  const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };

  expect(await readOnce(bench(api.url, { env }).source())).toEqual(rows(2));
  const spared = bench("http://kb4.invalid", {
    env: { ...env, NO_PROXY: "kb4.invalid" },
    retry: { maxAttempts: 1, maxSeconds: 1 },
  });
  expect((await errorOf(readOnce(spared.source()))).message).toContain("found no address");

  expect(proxy.asked).toEqual([]);
});

test("a proxy that refuses us is told apart from KnowBe4, and asked once", async () => {
  let asked = 0;
  const server = createServer();
  server.on("connect", (_, client) => {
    asked++;
    client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  });
  await listening(server);
  onTestFinished(() => void server.close());
  const env = { HTTPS_PROXY: addressOf(server) };

  const error = await errorOf(readOnce(bench("https://us.api.knowbe4.com", { env }).source()));

  expect(asked).toBe(1);
  expect(error.kind).toBe("unavailable");
  expect(error.message).toBe("users: GET /v1/users was refused by the proxy (407)");
  expect(error.hint).toContain("HTTPS_PROXY");
});

test("a variable that holds no address is named, and its value is not repeated", async () => {
  const { source } = bench("https://us.api.knowbe4.com", { env: { https_proxy: "hunter2" } });

  const error = await errorOf(readOnce(source()));

  expect(error.kind).toBe("config");
  expect(error.message).toBe("https_proxy: not an address");
  expect(JSON.stringify(error)).not.toContain("hunter2");
});
