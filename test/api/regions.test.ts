import { describe, expect, test } from "vitest";

import { baseUrl } from "../../src/api/regions.js";
import { ConnectorError } from "../../src/core/errors.js";

function refusalOf(options: Parameters<typeof baseUrl>[0]): ConnectorError {
  try {
    baseUrl(options);
  } catch (error) {
    if (error instanceof ConnectorError) return error;
  }
  throw new Error("it was not refused");
}

describe("a region", () => {
  test.each(["us", "eu", "ca", "uk", "de"])("%s has its own host", (region) => {
    expect(baseUrl({ region })).toBe(`https://${region}.api.knowbe4.com`);
  });

  test("that does not exist is refused, never taken for another one", () => {
    const error = refusalOf({ region: "au" });

    expect(error.kind).toBe("config");
    expect(error.message).toBe('region: "au" is not a region');
    expect(error.hint).toContain("us, eu, ca, uk, de");
  });

  test("with a slip of the pen is refused with the one that was meant", () => {
    expect(refusalOf({ region: "eu1" }).hint).toContain('did you mean "eu"?');
    expect(refusalOf({ region: "EU" }).hint).toContain('did you mean "eu"?');
  });

  test.each([
    ["training.knowbe4.com", "us"],
    ["https://de.knowbe4.com/ui/dashboard", "de"],
    ["uk.api.knowbe4.com", "uk"],
  ])("given as the host %s is refused with the region %s", (host, region) => {
    const { hint } = refusalOf({ region: host });

    expect(hint).toContain(`did you mean "${region}"?`);
    expect(hint).toContain("eu.knowbe4.com is eu");
  });
});

describe("a custom address", () => {
  test.each([
    ["https://us.api.knowbe4.com", "https://us.api.knowbe4.com"],
    ["https://new.api.knowbe4.com/gateway/", "https://new.api.knowbe4.com/gateway"],
    ["http://127.0.0.1:8080/kb4", "http://127.0.0.1:8080/kb4"],
    ["http://127.8.9.1", "http://127.8.9.1"],
    ["http://localhost:3000/", "http://localhost:3000"],
    ["https://localhost:3000/", "https://localhost:3000"],
    ["http://[::1]:3000", "http://[::1]:3000"],
  ])("%s is taken, with its path", (apiUrl, expected) => {
    expect(baseUrl({ region: "us", apiUrl })).toBe(expected);
  });

  test.each([
    ["http://us.api.knowbe4.com", "https only"],
    ["https://api.knowbe4.com.evil.example", "api.knowbe4.com.evil.example is not below"],
    ["https://evilapi.knowbe4.com", "is not below"],
    ["https://training.knowbe4.com", "is not below"],
    ["https://10.0.0.1", "is not below"],
    ["http://127.0.0.1.evil.example", "is not below"],
    ["http://localhost.evil.example", "is not below"],
    ["ftp://127.0.0.1", "scheme ftp:"],
    ["us.api.knowbe4.com", "not an address"],
    ["localhost:3000", "not an address"],
    ["", "not an address"],
    ["https://us.api.knowbe4.com/?key=1", "a query"],
  ])("%s is refused", (apiUrl, why) => {
    const error = refusalOf({ region: "us", apiUrl });

    expect(error.kind).toBe("config");
    expect(error.message).toMatch(/^api_url: /);
    expect(error.message).toContain(why);
  });

  test("is not repeated where it holds a password", () => {
    const error = refusalOf({ region: "us", apiUrl: "https://me:hunter2@us.api.knowbe4.com" });

    expect(error.kind).toBe("config");
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain("hunter2");
  });
});
