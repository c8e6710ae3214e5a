/** Letters that do not come apart into a base letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d" };

/** The longest slug; file systems and browsers take more, people do not. */
export const LONGEST = 80;

/**
 * Returns the slug of a title: lower case ASCII letters and digits with `-` between words,
 * at most `LONGEST` characters and cut between words where that is possible. Empty where
 * the title has no such letter.
 */
export function slug(title: string): string {
  const words = title
    .toLowerCase()
    .replace(/[ßæœøłđ]/g, (letter) => LETTERS[letter] ?? letter)
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  let text = "";
  for (const word of words) {
    const longer = text ? `${text}-${word}` : word;
    if (longer.length > LONGEST) break;
    text = longer;
  }
  return text || (words[0] ?? "").slice(0, LONGEST);
}
