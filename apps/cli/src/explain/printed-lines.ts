import type { Screen } from '../terminal/screen.ts';

export type Colors = Screen['colors'];

/** Text on several lines of at most `columns`, each indented alike; words are not cut. */
export function wrapText(text: string, indent: string, columns: number): string[] {
  const width = Math.max(30, columns - indent.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, indent + line];
}
