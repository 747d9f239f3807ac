import { SourceMap, type SourceMapPayload } from 'node:module';

const INLINE_MAP =
  /\/\/# sourceMappingURL=data:application\/json;[^,]*base64,([A-Za-z0-9+/=]+)\s*$/;

/**
 * Makes stack traces show the lines of the sources. vite-node's own support caches the map of a file for
 * the life of the process, so lines are wrong after the first reload (vitest-dev/vitest#6642); here the
 * code that was evaluated last is asked every time.
 */
export function installStackTraces(codeOf: (file: string) => string | undefined): void {
  const maps = new Map<string, { code: string; map: SourceMap | undefined }>();

  function mapOf(file: string): SourceMap | undefined {
    const code = codeOf(file);
    if (code === undefined) {
      return undefined;
    }
    let known = maps.get(file);
    if (known?.code !== code) {
      known = { code, map: parseInlineMap(code) };
      maps.set(file, known);
    }
    return known.map;
  }

  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.map((frame) => `\n    at ${mapFrame(frame, mapOf)}`);
    return `${headline(error)}${lines.join('')}`;
  };
}

function headline(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}

function mapFrame(frame: NodeJS.CallSite, mapOf: (file: string) => SourceMap | undefined): string {
  const text = frame.toString();
  const file = frame.getFileName();
  const line = frame.getLineNumber();
  const column = frame.getColumnNumber();
  if (!file || !line || !column) {
    return text;
  }
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (!entry || !('originalLine' in entry) || entry.originalLine === undefined) {
    return text;
  }
  return text.replace(
    `${file}:${line}:${column}`,
    `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`,
  );
}

function parseInlineMap(code: string): SourceMap | undefined {
  const encoded = INLINE_MAP.exec(code)?.[1];
  if (!encoded) {
    return undefined;
  }
  const payload: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  return new SourceMap(payload as SourceMapPayload);
}
