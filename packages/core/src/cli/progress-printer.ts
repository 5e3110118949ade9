// Shows the steps of a long command: one moving line on a terminal, a line for each step and tenth elsewhere.
import { megabytes } from './format.js';

export interface ProgressPrinter {
  update: (step: string, doneBytes?: number, totalBytes?: number) => void;
  /** Ends the moving line. */
  end: () => void;
}

export function progressPrinter(stream: { write(text: string): unknown; isTTY?: boolean }): ProgressPrinter {
  let shown = '';
  let open = false;
  const update: ProgressPrinter['update'] = (step, doneBytes, totalBytes) => {
    const moving = stream.isTTY === true;
    const share = doneBytes === undefined || totalBytes === undefined ? undefined : doneBytes / totalBytes;
    const percent = share === undefined ? '' : ` ${Math.floor(share * (moving ? 100 : 10)) * (moving ? 1 : 10)} %`;
    const amount = !moving || doneBytes === undefined ? '' : ` ${megabytes(doneBytes)}`;
    const line = `${step}${percent}${amount}`;
    if (line === shown) return;
    shown = line;
    stream.write(moving ? `\r\u001b[2K${line}` : `${line}\n`);
    open = moving;
  };
  const end = (): void => {
    if (open) stream.write('\n');
    open = false;
  };
  return { update, end };
}
