import pc from 'picocolors';

/** Where a command prints: finished lines, and on a terminal one live line below them. */
export interface Screen {
  readonly isTty: boolean;
  readonly columns: number;
  readonly colors: ReturnType<typeof pc.createColors>;
  print(line?: string): void;
  /** Replaces the live line; undefined removes it. Does nothing where there is no terminal. */
  setStatus(text: string | undefined): void;
}

/** The part of a stream that a screen needs; `process.stdout` fits. */
export interface ScreenStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[2K';

export function createScreen(
  stream: ScreenStream,
  env: Readonly<Record<string, string | undefined>>,
): Screen {
  const isTty = stream.isTTY === true;
  const colored = env['NO_COLOR'] ? false : isTty || Boolean(env['FORCE_COLOR']);
  let status: string | undefined;
  return {
    isTty,
    get columns() {
      return stream.columns ?? 120;
    },
    colors: pc.createColors(colored),
    print(line = '') {
      if (status === undefined) stream.write(`${line}\n`);
      else stream.write(`${CLEAR_LINE}${line}\n${status}`);
    },
    setStatus(text) {
      if (!isTty || text === status) return;
      status = text;
      stream.write(CLEAR_LINE + (text ?? ''));
    },
  };
}
