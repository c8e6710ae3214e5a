"use strict";
(() => {
  // The page is complete without this: it adds a filter to the list of all tests, and prints the timeline unfolded.
  const field = document.getElementById("filter");
  if (field) {
    const rows = [...document.querySelectorAll("#cases tbody tr")].map((row) => [row, row.textContent.toLowerCase()]);
    const matches = document.getElementById("matches");
    field.closest(".filter").hidden = false;
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      let shown = 0;
      for (const [row, text] of rows) {
        row.hidden = !text.includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      matches.textContent = wanted ? `${shown} of ${rows.length}` : "";
    });
  }
  addEventListener("beforeprint", () => {
    for (const lane of document.querySelectorAll("details.lane")) lane.open = true;
  });
})();
