const SPECIAL = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Returns a text with everything escaped that means something in HTML. */
export function escape(text) {
  return text.replace(/[&<>"']/g, (character) => SPECIAL[character]);
}

/** Returns a page that lists the stock: an object of item and count. */
export function page(stock) {
  const rows = Object.entries(stock)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([item, count]) => `<li>${escape(item)}: ${count || "sold out"}</li>`);
  return `<!doctype html><title>Stock</title><ul>${rows.join("")}</ul>\n`;
}
