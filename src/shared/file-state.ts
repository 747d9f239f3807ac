import { createHash } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';

/** What a file was like at one moment. Two states with the same content are the same to whoever reads the file. */
export interface FileState {
  /** A digest; null if there is no such file, or it cannot be read. */
  content: string | null;
  /** When the content was written, in milliseconds since 1970; 0 if there is none. */
  writtenAt: number;
}

/** No source, but a log or a database that grows all the time: told by size and time rather than read each time. */
const MAX_READ_BYTES = 4 * 1024 * 1024;

export const EMPTY_CONTENT: string = digest('');

export function readFileState(file: string): FileState {
  try {
    const stats = statSync(file);
    const content = stats.isFile() ? readContent(file, stats) : null;
    // Asked again: else a write in between would look like another one of the same content.
    return { content, writtenAt: statSync(file).mtimeMs };
  } catch {
    return { content: null, writtenAt: 0 };
  }
}

export function contentOf(file: string): string | null {
  return readFileState(file).content;
}

/** When a file was changed in any way, or came there under this name; null if there is none. */
export function changedAt(file: string): number | null {
  return statOf(file)?.ctimeMs ?? null;
}

/**
 * Another one after any change to a file or a folder, also after one that leaves the content as it was: it is made of
 * the time that no program can set back, and costs no reading. Null if there is none.
 */
export function stampOf(path: string): string | null {
  const stats = statOf(path);
  return stats ? `${stats.ino} ${stats.size} ${stats.ctimeMs}` : null;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function readContent(file: string, { size, mtimeMs }: Stats): string {
  return size > MAX_READ_BYTES ? `${size} ${mtimeMs}` : digest(readFileSync(file));
}

function digest(content: string | Buffer): string {
  return createHash('sha1').update(content).digest('base64');
}
