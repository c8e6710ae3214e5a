import assert from "node:assert/strict";
import { test } from "node:test";

import { escape, page } from "../page.js";

test("items are sorted, and none left is told", () => {
  assert.match(page({ pears: 0, apples: 12 }), /<li>apples: 12<\/li><li>pears: sold out<\/li>/);
});

test("an item cannot bring HTML", () => {
  assert.match(page({ "<b>": 1 }), /<li>&lt;b&gt;: 1<\/li>/);
});

test("everything special is escaped", () => {
  assert.equal(escape(`<a href="x" id='y'>&`), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
});
