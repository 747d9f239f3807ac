import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { fileOfId, isInside, toPosix } from '../../shared/paths.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { createCodeFrame } from './code-frame.ts';

interface Location {
  file: string;
  line?: number;
  column?: number;
}

/**
 * Adds the place of the fault to an error: the file, line and column in the project, and the source around
 * them. Keeps the error's own details, without colours: not every reader is a terminal.
 */
export function completeLocation(error: SerializedError, root: string): SerializedError {
  const { message, frame } = splitDrawing(stripVTControlCharacters(error.message));
  const completed: SerializedError = { ...error, message };
  const location = findLocation(completed, { root, drawing: frame });
  if (location) {
    completed.message = shortenMessage(message, root);
    completed.file = location.file;
    completed.line = location.line;
    completed.column = location.column;
  }
  const shown = error.frame ?? frame;
  if (shown !== undefined) {
    completed.frame = stripVTControlCharacters(shown).replace(/^\n+|\s+$/g, '');
  } else if (location?.line !== undefined) {
    const { file, line, column } = location;
    const source = readSource(file);
    completed.frame = source && createCodeFrame(source, { line, column });
  }
  return completed;
}

function findLocation(
  error: SerializedError,
  context: { root: string; drawing: string | undefined },
): Location | undefined {
  const { root, drawing } = context;
  const file = error.file === undefined ? undefined : toFile(error.file);
  if (file !== undefined && error.line !== undefined) {
    return { file, line: error.line, column: error.column };
  }
  const position = (drawing && positionInDrawing(drawing)) || positionInMessage(error.message);
  if (file !== undefined && position) {
    return { file, ...position };
  }
  // The specifier of a missing import is more exact than the statement in the stack.
  const missing = findImport(error, root);
  return (
    (missing?.line === undefined ? undefined : missing) ??
    findInStack(error, file === undefined ? (found) => isOurs(root, found) : (f) => f === file) ??
    missing ??
    (file === undefined ? undefined : { file }) ??
    (error.cause && findLocation(error.cause, { root, drawing: undefined }))
  );
}

/** Makes the project's paths relative, as everywhere else, and drops the files that the location covers. */
function shortenMessage(message: string, root: string): string {
  return message.replace(REQUIRE_STACK, '').replaceAll(`${root}/`, '');
}

const REQUIRE_STACK = /\nRequire stack:(?:\n- .*)+$/;

const STACK_LINE = /^\s*at (?:.*? \((.+):(\d+):(\d+)\)|(?:async )?(.+):(\d+):(\d+))$/;
/** Node names the file of a syntax error above the message, without a column. */
const SYNTAX_ERROR_HEAD = /^((?:\/|[A-Za-z]:[\\/]).+):(\d+)$/;

function findInStack(
  error: SerializedError,
  accepts: (file: string) => boolean,
): Location | undefined {
  const lines = error.stack?.split('\n') ?? [];
  const head = SYNTAX_ERROR_HEAD.exec(lines[0] ?? '');
  if (head?.[1] && accepts(toFile(head[1]))) {
    return { file: toFile(head[1]), line: Number(head[2]) };
  }
  for (const line of lines) {
    const match = STACK_LINE.exec(line);
    const file = match?.[1] ?? match?.[4];
    if (match && file !== undefined && accepts(toFile(file))) {
      return {
        file: toFile(file),
        line: Number(match[2] ?? match[5]),
        column: Number(match[3] ?? match[6]),
      };
    }
  }
  return undefined;
}

/** How Vite, vite-node and Node report a missing import; none of them gives the line. */
const MISSING_IMPORTS = [
  /Failed to load url (?<specifier>.+?) \(resolved id: .*?\) in (?<importer>.+?)\. /,
  /Cannot find (?:module|package) '(?<specifier>.+?)' imported from '?(?<importer>[^'\n]+)/,
  /Cannot find module '(?<specifier>.+?)'\nRequire stack:\n- (?<importer>.+)/,
];

function findImport({ message }: SerializedError, root: string): Location | undefined {
  for (const pattern of MISSING_IMPORTS) {
    const { specifier, importer } = pattern.exec(message)?.groups ?? {};
    if (specifier === undefined || importer === undefined) {
      continue;
    }
    const file = toFile(importer);
    const source = isOurs(root, file) ? readSource(file) : undefined;
    // The specifier may be resolved already: both spellings share its last segment.
    const segment = fileOfId(toPosix(specifier)).split('/').at(-1) ?? specifier;
    const written = new RegExp(`['"\`](?:[^'"\`\\n]*/)?${escapeRegExp(segment)}['"\`]`);
    const at = source === undefined ? -1 : source.search(written);
    if (source !== undefined) {
      return at < 0 ? { file } : { file, ...positionOf(source, at) };
    }
  }
  return undefined;
}

// Rolldown and oxc put the position and the frame into the message, as a drawing, and give no `loc`
// (Vite 8).
const DRAWING = /^\s*╭─\[ (?:.*?):(\d+):(\d+) \]/m;
const DRAWING_TITLE = /^(?:Transform|Build) failed with \d+ errors?:\n+/;

function splitDrawing(message: string): { message: string; frame: string | undefined } {
  const start = DRAWING.exec(message)?.index;
  if (start === undefined) {
    return { message, frame: undefined };
  }
  const title = message.slice(0, start).replace(DRAWING_TITLE, '').trim();
  return { message: title, frame: message.slice(start) };
}

function positionInDrawing(drawing: string): { line: number; column: number } | undefined {
  const match = DRAWING.exec(drawing);
  return match ? { line: Number(match[1]), column: Number(match[2]) } : undefined;
}

/** Finds the position as the JSON plugin of Vite 8 words it. */
function positionInMessage(message: string): { line: number; column: number } | undefined {
  const match = /\bat line (\d+) column (\d+)\b/.exec(message);
  return match ? { line: Number(match[1]), column: Number(match[2]) } : undefined;
}

function positionOf(source: string, index: number): { line: number; column: number } {
  const before = source.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

function toFile(path: string): string {
  return fileOfId(toPosix(path.startsWith('file:') ? fileURLToPath(path) : path));
}

function isOurs(root: string, file: string): boolean {
  return isInside(root, file) && !file.slice(root.length).includes('/node_modules/');
}

function readSource(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The file is deleted, or virtual: there is no source to show.
    return undefined;
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
