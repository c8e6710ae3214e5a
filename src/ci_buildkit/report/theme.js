"use strict";
// In the head, so that a page does not flash in the other colours first. Storage can be forbidden to files: then the
// choice lasts as long as the page.
try {
  const theme = localStorage.getItem("ci-buildkit-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {}
