/** Tables of the report, and their place in a document. */

const cell = (text: string): string => text.replaceAll('|', '\\|');
const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

export function markdownTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const begin = (name: string): string => `<!-- bench:${name} begins -->`;
const end = (name: string): string => `<!-- bench:${name} ends -->`;

/**
 * Replaces what stands between the markers of `name`; without markers, a section at the document's end is
 * made.
 * @throws Error when only one marker is there, or they are in the wrong order.
 */
export function replaceSection(document: string, name: string, content: string): string {
  const section = `${begin(name)}\n${content.trim()}\n${end(name)}`;
  const from = document.indexOf(begin(name));
  const to = document.indexOf(end(name));
  if (from < 0 && to < 0) return `${document.trimEnd()}\n\n${section}\n`;
  if (from < 0 || to < from) {
    throw new Error(`section ${name}: its markers are broken; write "${begin(name)}" before "${end(name)}"`);
  }
  return document.slice(0, from) + section + document.slice(to + end(name).length);
}
