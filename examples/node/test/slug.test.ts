import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { LONGEST, slug } from "../src/slug.ts";

suite("slug", () => {
  const cases: [string, string, string][] = [
    ["punctuation", "Hello, World!", "hello-world"],
    ["white space", "  spaces   and\ttabs ", "spaces-and-tabs"],
    ["accents", "Crème brûlée", "creme-brulee"],
    ["letters without accents", "Straße nach Łódź", "strasse-nach-lodz"],
    ["digits", "2 + 2 = 4", "2-2-4"],
    ["nothing that can stay", "…", ""],
    ["nothing", "", ""],
  ];
  for (const [what, title, expected] of cases) {
    test(`of ${what}`, () => {
      assert.equal(slug(title), expected);
    });
  }

  test("is cut between words", () => {
    const found = slug("word ".repeat(50));
    assert.ok(found.length <= LONGEST);
    assert.match(found, /^word(-word)+$/);
  });

  test("is cut within one endless word", () => {
    assert.equal(slug("a".repeat(200)), "a".repeat(LONGEST));
  });

  test("of a slug is itself", () => {
    assert.equal(slug(slug("Déjà vu, again")), slug("Déjà vu, again"));
  });
});
