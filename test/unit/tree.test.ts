import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { toPosix } from '../../src/shared/paths.ts';

/** Rooms from the top of the house to its ground floor; what stands on one line knows nothing of its neighbours. */
const FLOORS: readonly (readonly string[])[] = [
  ['entries', 'cli'],
  ['plugins'],
  ['admin'],
  ['host', 'app'],
  ['vite'],
  ['medusa', 'rules'],
  ['protocol', 'database'],
  ['project'],
  ['shared'],
];

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const MOST_FILES = 15;
const ENTRIES = ['client', 'hot', 'index', 'reloader', 'serve', 'testing', 'vite-node'];

const files = [...filesBelow('src'), ...filesBelow('plugins')];
const imports = new Map(files.map((file) => [file, importsOf(file)]));

describe('imports', () => {
  it('run downwards only', () => {
    const upwards = [...imports].flatMap(([file, imported]) =>
      imported
        .filter((other) => !isBelow(roomOf(other), roomOf(file)))
        .map((other) => `${file} imports ${other}: \`${roomOf(file)}\` may import ${below(file)}`),
    );
    expect(upwards).toEqual([]);
  });

  it('form no circle', () => {
    expect(findCircles().map((circle) => `in a circle: ${circle.join(' -> ')}`)).toEqual([]);
  });

  it('name files that are there', () => {
    const missing = [...imports].flatMap(([file, imported]) =>
      imported.filter((other) => !imports.has(other)).map((other) => `${file}: ${other}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('exported types', () => {
  it('have each a name of their own', () => {
    const exporters = new Map<string, string[]>();
    for (const file of files.filter((file) => roomOf(file) !== 'entries')) {
      for (const name of exportedTypesOf(file)) {
        exporters.set(name, [...(exporters.get(name) ?? []), file]);
      }
    }
    const shared = [...exporters].filter(([, exporting]) => exporting.length > 1);
    expect(shared.map(([name, exporting]) => `${name}: ${exporting.join(', ')}`)).toEqual([]);
  });
});

describe('the tree', () => {
  it('has rooms on a known floor only', () => {
    const known = FLOORS.flat();
    expect(files.filter((file) => !known.includes(roomOf(file)))).toEqual([]);
  });

  it('has nothing but the public entries on the first level of `src`', () => {
    const top = files.filter((file) => posix.dirname(file) === 'src');
    expect(top.map((file) => posix.basename(file, '.ts')).sort()).toEqual(ENTRIES);
  });

  it(`has at most ${MOST_FILES} files in a folder`, () => {
    const folders = new Map<string, number>();
    for (const file of files) {
      const folder = posix.dirname(file);
      folders.set(folder, (folders.get(folder) ?? 0) + 1);
    }
    const full = [...folders].filter(([, count]) => count > MOST_FILES);
    expect(full.map(([folder, count]) => `${folder}: ${count} files`)).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => toPosix(relative(REPOSITORY, join(entry.parentPath, entry.name))))
    .sort();
}

/** Imports of types and dynamic ones count as well. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(file), specifier));
}

/** Declared there: a re-export is the same type. */
function exportedTypesOf(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  const declarations = text.matchAll(/^export (?:abstract )?(?:interface|type|class) (\w+)/gm);
  return [...declarations].map(([, name = '']) => name);
}

function roomOf(file: string): string {
  const [top = '', room = ''] = file.split('/');
  if (top !== 'src') {
    return top;
  }
  return room.endsWith('.ts') ? 'entries' : room;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

function isBelow(room: string, other: string): boolean {
  return room === other || floorOf(room) > floorOf(other);
}

function below(file: string): string {
  const rooms = FLOORS.slice(floorOf(roomOf(file)) + 1).flat();
  return rooms.map((room) => `\`${room}\``).join(', ') || 'nothing outside of it';
}

/** One circle for each import that closes one, from the file that is met twice. */
function findCircles(): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const at = path.indexOf(file);
    if (at >= 0) {
      circles.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) {
      return;
    }
    path.push(file);
    for (const other of imports.get(file) ?? []) {
      visit(other);
    }
    path.pop();
    done.add(file);
  };
  for (const file of files) {
    visit(file);
  }
  return circles;
}
