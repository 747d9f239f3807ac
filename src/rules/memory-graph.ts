import { stemOf } from '../shared/paths.ts';
import type { Graph } from './planner.ts';

/** What the app would have loaded. Paths are relative to the project. */
export interface MemoryGraphOptions {
  root: string;
  /** Loaded files, each with those that it imports. */
  files: Record<string, string[]>;
  /** Files that Medusa, or somebody else who is no file of the project, has asked for. */
  entries?: string[];
  /** Files that Node has loaded by itself. */
  natives?: string[];
  /** `import.meta.hot.accept`: files that take the update of others, or of themselves. */
  accepts?: Record<string, string[]>;
  /** `import.meta.glob`: new files, each with the loaded files that take it in. */
  globs?: Record<string, string[]>;
}

/** A module graph that is written down, without Vite and without an app. */
export function createMemoryGraph(options: MemoryGraphOptions): Graph {
  const { root, files, entries = [], natives = [], accepts = {}, globs = {} } = options;
  const absolute = (path: string) => `${root}/${path}`;
  const loaded = new Set(Object.keys(files).map(absolute));
  const importers = new Map<string, string[]>();
  for (const [importer, imported] of Object.entries(files)) {
    for (const file of imported.map(absolute)) {
      importers.set(file, [...(importers.get(file) ?? []), absolute(importer)]);
    }
  }
  const includes = (paths: string[] | undefined, file: string) => {
    return (paths ?? []).some((path) => absolute(path) === file);
  };
  const relative = (file: string) => file.slice(root.length + 1);
  return {
    isLoaded: (id) => loaded.has(id),
    modulesOf: (file) => (loaded.has(file) ? [file] : []),
    importersOf: (id) => importers.get(id) ?? [],
    filesLike: (file) => [...loaded].filter((id) => id !== file && stemOf(id) === stemOf(file)),
    globImportersOf: (file) => (globs[relative(file)] ?? []).map(absolute),
    isEntry: (file) => includes(entries, file),
    isNative: (file) => includes(natives, file),
    accepts: (id, dependency) => includes(accepts[relative(id)], dependency),
  };
}
