import { SourceMap, type SourceMapPayload } from 'node:module';
import type { KeptCode, Retrace } from '../../protocol/messages.ts';

const INLINE_MAP =
  /\/\/# sourceMappingURL=data:application\/json;[^,]*base64,([A-Za-z0-9+/=]+)\s*$/;

interface Position {
  line: number;
  column: number;
}

/** Finds the source of a position in the code that runs; both count from 0. */
type Trace = (position: Position) => Position | undefined;

/**
 * Makes stack traces show the lines of the sources. vite-node's own support caches the map of a file for
 * the life of the process, so lines are wrong after the first reload (vitest-dev/vitest#6642); here the
 * code that was evaluated last is asked every time.
 */
export class StackTraces {
  readonly #codeOf: (file: string) => string | undefined;
  /** By file, with the code to which it belongs. */
  readonly #traces = new Map<string, { code: string; trace: Trace }>();

  constructor(codeOf: (file: string) => string | undefined) {
    this.#codeOf = codeOf;
  }

  install(): void {
    Error.prepareStackTrace = (error, frames) => {
      const lines = frames.map((frame) => `\n    at ${this.#describe(frame)}`);
      return `${headline(error)}${lines.join('')}`;
    };
  }

  /** The lines of a source have moved, though what runs is the same. */
  retrace({ file, code: moved, kept }: Retrace): void {
    const code = this.#codeOf(file);
    if (code === undefined) {
      return;
    }
    const [before, after] = [new Lines(code), new Lines(moved)];
    const trace = createTrace(moved);
    this.#traces.set(file, {
      code,
      trace: (position) => {
        const offset = translate(before.offsetOf(position), kept);
        return offset === undefined ? undefined : trace(after.positionOf(offset));
      },
    });
  }

  #describe(frame: NodeJS.CallSite): string {
    const text = frame.toString();
    const file = frame.getFileName();
    const line = frame.getLineNumber();
    const column = frame.getColumnNumber();
    if (!file || !line || !column) {
      return text;
    }
    const source = this.#traceOf(file)?.({ line: line - 1, column: column - 1 });
    return source
      ? text.replace(`${file}:${line}:${column}`, `${file}:${source.line + 1}:${source.column + 1}`)
      : text;
  }

  #traceOf(file: string): Trace | undefined {
    const code = this.#codeOf(file);
    if (code === undefined) {
      return undefined;
    }
    let known = this.#traces.get(file);
    if (known?.code !== code) {
      known = { code, trace: createTrace(code) };
      this.#traces.set(file, known);
    }
    return known.trace;
  }
}

function headline(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}

function createTrace(code: string): Trace {
  const encoded = INLINE_MAP.exec(code)?.[1];
  if (!encoded) {
    return () => undefined;
  }
  const payload: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  const map = new SourceMap(payload as SourceMapPayload);
  return ({ line, column }) => {
    const entry = map.findEntry(line, column);
    return 'originalLine' in entry && entry.originalLine !== undefined
      ? { line: entry.originalLine, column: entry.originalColumn }
      : undefined;
  };
}

function translate(offset: number, kept: KeptCode[]): number | undefined {
  const piece = kept.find(([start, , length]) => offset >= start && offset < start + length);
  return piece && piece[1] + offset - piece[0];
}

/** Positions and offsets of a text. */
class Lines {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) {
      this.#starts.push(index + 1);
    }
  }

  offsetOf({ line, column }: Position): number {
    return (this.#starts[line] ?? 0) + column;
  }

  positionOf(offset: number): Position {
    const line = this.#starts.findLastIndex((start) => start <= offset);
    return { line, column: offset - (this.#starts[line] ?? 0) };
  }
}
