import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, before, suite, test } from "node:test";

import { server } from "../src/server.ts";

suite("server", () => {
  const running = server("v1.2.3");
  let address = "";

  before(async () => {
    await new Promise<void>((listening) => running.listen(0, "127.0.0.1", listening));
    address = `http://127.0.0.1:${String((running.address() as AddressInfo).port)}`;
  });
  after(() => running.close());

  const cases: [string, number, object][] = [
    ["/slug?title=A%20day", 200, { title: "A day", slug: "a-day" }],
    ["/slug", 400, { error: "title is missing" }],
    ["/version", 200, { version: "v1.2.3" }],
    ["/healthz", 200, { status: "ok" }],
    ["/elsewhere", 404, { error: "ask for /slug?title=..." }],
  ];
  for (const [path, status, content] of cases) {
    test(`answers ${path}`, async () => {
      const response = await fetch(address + path);
      assert.equal(response.status, status);
      assert.deepEqual(await response.json(), content);
    });
  }

  test("refuses to change anything", async () => {
    const response = await fetch(`${address}/slug?title=a`, { method: "POST" });
    assert.equal(response.status, 405);
  });
});
