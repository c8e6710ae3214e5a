"use strict";
(() => {
  // Everything from the data goes into the page as text. The layout of its rows is that of pagedata.py.
  const CHUNK = 200;
  const MARKS = { passed: "✓", failed: "✕", error: "!", skipped: "–" };
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const texts = data.texts;

  function make(tag, className, ...parts) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...parts.filter((part) => part !== "" && part !== null));
    return node;
  }

  function link(text, href) {
    const node = make("a", "", text);
    node.href = href;
    node.rel = "noopener noreferrer";
    return node;
  }

  const count = (number) => number.toLocaleString("en");

  // As report/text.py writes durations.
  function duration(seconds) {
    if (seconds < 0.0005) return "0 s";
    if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    const minutes = Math.floor(whole / 60);
    const two = (number) => String(number).padStart(2, "0");
    return minutes < 60 ? `${minutes} min ${two(whole % 60)} s` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  }

  // A list of rows, of which those are shown that are of a chosen kind and have every word of the search.
  function explorer(id, rows, { noun, kinds, words, draw }) {
    const box = document.getElementById(`${id}-explorer`);
    if (!box || !rows.length) return null;
    const field = box.querySelector("input");
    const list = box.querySelector(".rows");
    const status = box.querySelector(".matches");
    const more = box.querySelector(".more");
    const chosen = new Set();
    let found = rows;
    let shown = 0;
    let haystacks = null;

    function next() {
      draw(list, found.slice(shown, shown + CHUNK), shown === 0);
      shown = Math.min(shown + CHUNK, found.length);
      more.hidden = shown === found.length;
    }

    function show(matching, about) {
      found = matching;
      shown = 0;
      list.textContent = "";
      status.textContent = about;
      next();
    }

    function search() {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const tests = [...chosen].map((kind) => kind.has);
      if (wanted.length && !haystacks) haystacks = rows.map((row) => words(row).toLowerCase());
      const matching = rows.filter(
        (row, place) =>
          (!tests.length || tests.some((has) => has(row))) && wanted.every((word) => haystacks[place].includes(word)),
      );
      const all = `${count(rows.length)} ${noun}`;
      show(matching, matching.length === rows.length ? all : `${count(matching.length)} of ${all}`);
    }

    for (const kind of kinds) {
      const number = rows.filter(kind.has).length;
      if (!number) continue;
      const button = make("button", "kind", `${kind.name} `, make("span", "count", count(number)));
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        if (!chosen.delete(kind)) chosen.add(kind);
        button.setAttribute("aria-pressed", String(chosen.has(kind)));
        search();
      });
      box.querySelector(".kinds").append(button);
    }
    field.addEventListener("input", search);
    more.querySelector("button").addEventListener("click", () => {
      const before = list.querySelectorAll("summary, tr").length;
      next();
      // The keyboard goes on where the list went on.
      list.querySelectorAll("summary, tr")[before]?.focus();
    });
    box.hidden = false;
    search();
    return { box, show };
  }

  // [outcome, suite, class, name, seconds, file, id, more]
  const extra = (row) => row[7] || {};
  const place = (more) => (more.path === undefined ? "" : texts[more.path] + (more.line ? `:${more.line}` : ""));
  const owner = (row) => texts[row[2]] || texts[row[1]];

  function summary(row) {
    const more = extra(row);
    const [outcome] = row;
    const sign = make("span", "", MARKS[outcome]);
    sign.setAttribute("aria-hidden", "true");
    const tags = [more.flaky ? "flaky" : "", more.quarantined ? "let pass" : ""].filter(Boolean);
    const title = make(
      "span", "title",
      owner(row) ? make("span", "owner", `${owner(row)}: `) : "",
      row[3] || (owner(row) ? "" : "(unnamed test)"),
      ...tags.map((tag) => make("span", "tag", tag)),
    );
    return make(
      "summary", "",
      make("span", `mark ${outcome}${more.quarantined ? " waived" : ""}`, sign, ` ${outcome}`),
      title,
      make("span", "number", duration(row[4] || 0)),
    );
  }

  function block(label, text) {
    const node = make("pre", "", text);
    node.tabIndex = 0;
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", label);
    return [make("p", "muted", label), node];
  }

  function body(row) {
    const more = { ...extra(row) };
    if (more.written) {
      const article = document.getElementById(row[6]);
      more.details = article.querySelector("pre.details")?.textContent;
      more.output = article.querySelector("pre.output")?.textContent;
    }
    const about = [
      place(more),
      texts[row[1]] && texts[row[1]] !== owner(row) ? `suite ${texts[row[1]]}` : "",
      more.attempts ? `${more.attempts} attempts` : "",
      `from ${texts[row[5]]}`,
    ].filter(Boolean);
    return [
      make("p", "muted", `${about.join(" · ")} · `, link("link to this test", `#${row[6]}`)),
      more.quarantined ? make("p", "", `Does not count: ${more.quarantined}`) : "",
      more.message ? make("p", "message", more.message) : "",
      ...(more.details && more.details.trim() !== more.message ? block("Failure", more.details) : []),
      ...(more.output ? block("Output", more.output) : []),
      more.cut ? make("p", "muted", `Left out here, because this page is full: see ${texts[row[5]]} in the report.`) : "",
    ].filter((part) => part !== "");
  }

  function drawCases(list, rows) {
    for (const row of rows) {
      const node = make("details", "entry", summary(row));
      node.addEventListener("toggle", () => {
        if (node.open && node.children.length === 1) node.append(...body(row));
      });
      list.append(node);
    }
  }

  const outcome = (name) => ({ name, has: (row) => row[0] === name && !extra(row).quarantined });
  const flag = (name, key) => ({ name, has: (row) => Boolean(extra(row)[key]) });
  const cases = explorer("cases", data.cases, {
    noun: data.cases.length === 1 ? "test" : "tests",
    kinds: [
      outcome("failed"), outcome("error"), flag("let pass", "quarantined"), flag("flaky", "flaky"), outcome("skipped"),
      outcome("passed"),
    ],
    words: (row) => `${texts[row[1]]} ${texts[row[2]]} ${row[3]} ${place(extra(row))} ${extra(row).message || ""}`,
    draw: drawCases,
  });

  // [severity, path, line, column, message, tool, rule, url, known]
  function drawFindings(list, rows) {
    for (const row of rows) {
      const path = texts[row[1]];
      let table = list.lastElementChild?.lastElementChild;
      if (table?.dataset.path !== path) {
        table = document.getElementById("findings-list").querySelector("table").cloneNode(true);
        table.dataset.path = path;
        table.caption.firstElementChild.textContent = path;
        table.tBodies[0].textContent = "";
        list.append(make("div", "scroll", table));
      }
      const at = row[2] ? `${row[2]}${row[3] ? `:${row[3]}` : ""}` : "file";
      const rule = [texts[row[5]], texts[row[6]]].filter(Boolean).join(": ");
      const line = make(
        "tr", "",
        make("td", "nowrap", make("code", "", at)),
        make("td", "", make("span", `severity ${row[0]}`, row[0]), row[8] ? make("span", "tag", "known") : ""),
        make("td", "", row[4]),
        make("td", "muted", texts[row[7]] ? link(rule || "rule", texts[row[7]]) : rule),
      );
      line.tabIndex = -1;
      table.tBodies[0].append(line);
    }
  }

  const findings = explorer("findings", data.findings, {
    noun: data.findings.length === 1 ? "finding" : "findings",
    kinds: [
      ...["error", "warning", "notice"].map((name) => ({ name, has: (row) => row[0] === name && !row[8] })),
      { name: "known", has: (row) => row[8] },
    ],
    words: (row) => [row[4], ...[1, 5, 6].map((column) => texts[row[column]])].join(" "),
    draw: drawFindings,
  });
  if (findings) document.getElementById("findings-list").hidden = true;

  // A case that is no element of the page yet is shown alone.
  function goTo() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!id.startsWith("case-")) return;
    const written = document.getElementById(id);
    if (written) {
      written.open = true;
      written.scrollIntoView();
      return;
    }
    const row = cases && data.cases.find((one) => one[6] === id);
    if (!row) return;
    cases.show([row], `The linked one of ${count(data.cases.length)} tests; a search or a filter shows the others`);
    const entry = cases.box.querySelector("details");
    entry.open = true;
    entry.firstElementChild.focus();
    cases.box.scrollIntoView();
  }
  addEventListener("hashchange", goTo);
  goTo();

  const theme = document.getElementById("theme");
  theme.value = root.dataset.theme || "";
  theme.closest("label").hidden = false;
  theme.addEventListener("change", () => {
    if (theme.value) root.dataset.theme = theme.value;
    else delete root.dataset.theme;
    try {
      localStorage.setItem("ci-buildkit-theme", theme.value);
    } catch {}
  });

  addEventListener("beforeprint", () => {
    for (const lane of document.querySelectorAll("details.lane")) lane.open = true;
  });
})();
