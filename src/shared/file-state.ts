import { createHash } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';

/** A file at one moment. */
export interface FileState {
  /** A digest; null if there is no such file, or it cannot be read. */
  content: string | null;
  /** When the content was written, in milliseconds since 1970; 0 if there is none. */
  writtenAt: number;
}

/** A bigger file is no source, but a log or a database: its size and its time stand for its content. */
const MAX_READ_BYTES = 4 * 1024 * 1024;

export const EMPTY_CONTENT: string = digest('');

export function readFileState(file: string): FileState {
  try {
    const stats = statSync(file);
    const content = stats.isFile() ? readContent(file, stats) : null;
    // A time from before the read may be too old, if the file was written in between.
    return { content, writtenAt: statSync(file).mtimeMs };
  } catch {
    return { content: null, writtenAt: 0 };
  }
}

export function contentOf(file: string): string | null {
  return readFileState(file).content;
}

/** When a file was changed in any way, or got this name; null if there is none. */
export function changedAt(file: string): number | null {
  return statOf(file)?.ctimeMs ?? null;
}

/**
 * Differs after each change to a file or a folder, even one that keeps the content, and is found without a read.
 * It contains the time that no program can set back. Null if there is no such file or folder.
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
