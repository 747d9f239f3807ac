import { stemOf } from '../shared/paths.ts';
import type { Graph } from './planner.ts';

/** The files that an app has loaded. Paths are relative to the project. */
export interface MemoryGraphOptions {
  root: string;
  /** Loaded files, each with those that it imports. */
  files: Record<string, string[]>;
  /** Files that Medusa, or other code outside the project, has asked for. */
  entries?: string[];
  /** Files that Node has loaded by itself. */
  natives?: string[];
  /** `import.meta.hot.accept`: files, each with those whose updates it accepts, perhaps its own. */
  accepts?: Record<string, string[]>;
  /** `import.meta.glob`: new files, each with the loaded files whose glob matches it. */
  globs?: Record<string, string[]>;
}

/** A module graph without Vite and without an app. */
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
  const relative = (file: string) => file.slice(root.length + 1);
  return {
    isLoaded: (id) => loaded.has(id),
    modulesOf: (file) => (loaded.has(file) ? [file] : []),
    importersOf: (id) => importers.get(id) ?? [],
    filesLike: (file) => [...loaded].filter((id) => id !== file && stemOf(id) === stemOf(file)),
    globImportersOf: (file) => (globs[relative(file)] ?? []).map(absolute),
    isEntry: (file) => entries.includes(relative(file)),
    isNative: (file) => natives.includes(relative(file)),
    accepts: (id, dependency) => accepts[relative(id)]?.includes(relative(dependency)) ?? false,
  };
}
