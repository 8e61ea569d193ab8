/** Colours text on a terminal; plain for pipes and with NO_COLOR. */
import { styleText } from 'node:util';

const painted = process.stdout.isTTY === true && !process.env.NO_COLOR;

export function paint(style: 'bold' | 'green' | 'cyan' | 'yellow' | 'dim', text: string): string {
  return painted ? styleText(style, text) : text;
}
