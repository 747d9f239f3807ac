import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { filesOf, LAUNCHER, type Launcher } from './launcher.ts';
import { MEDUSA_VERSION, otherMedusaFolder } from './other-medusa.ts';
import { otherViteFolder, VITE_VERSION } from './other-vite.ts';
import { REPOSITORY, SHOP } from './repository.ts';

/** A link to a package. */
type Link = [name: string, folder: string];

const NOT_COPIED = new Set(['node_modules', '.medusa', '.env', 'dist']);

/** A copy of the shop; files are named relative to it, with forward slashes. */
export interface Project {
  /** Absolute path. */
  readonly root: string;
  read(file: string): string;
  /** Throws if the text did not change, or kept its length: a watcher might miss such a change. */
  edit(file: string, change: (source: string) => string): void;
  write(file: string, source: string): void;
  remove(file: string): void;
  rename(from: string, to: string): void;
  /** Writes a temporary file beside the file, and renames it over the file. */
  saveLikeAnEditor(file: string, change: (source: string) => string): void;
  /** Restores every changed file. @returns their names */
  restore(): string[];
  dispose(): void;
}

export interface ProjectOptions {
  /** Folders between the temporary folder and the project, e.g. `.config/api`. */
  under?: string;
  /** Contents of files beside the shop's and the launcher's, or instead of them; undefined leaves a file out. */
  files?: Record<string, string | undefined>;
  /** Folders, relative to the project, to link into its `node_modules` under these names. */
  links?: Record<string, string>;
  /** @default the launcher of the test run */
  launcher?: Launcher;
  /** The version of Medusa. @default the version of the test run */
  medusa?: string;
}

export function createProject(options: ProjectOptions = {}): Project {
  const { launcher = LAUNCHER, medusa = MEDUSA_VERSION } = options;
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
  const root = join(base, options.under ?? '', 'my shøp');
  mkdirSync(root, { recursive: true });
  // The embedded PostgreSQL may run as another user, who needs access to its data.
  for (let folder = root; folder.startsWith(base); folder = dirname(folder)) {
    chmodSync(folder, 0o755);
  }
  cpSync(SHOP, root, {
    recursive: true,
    filter: (source) => source === SHOP || !NOT_COPIED.has(basename(source)),
  });
  for (const [file, source] of Object.entries({
    ...filesOf(launcher),
    ...options.files,
  })) {
    if (source === undefined) {
      continue;
    }
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), source);
  }
  const links = Object.entries(options.links ?? {}).map(
    ([name, folder]): Link => [name, join(root, folder)],
  );
  linkNodeModules(base, root, { launcher, medusa, links });

  /** The content of each file before its first change; `undefined` if there was no file. */
  const originals = new Map<string, string | undefined>();
  const path = (file: string) => join(root, file);
  const read = (file: string) => readFileSync(path(file), 'utf8');

  function remember(file: string): void {
    if (!originals.has(file)) {
      originals.set(file, existsSync(path(file)) ? read(file) : undefined);
    }
  }

  function write(file: string, source: string): void {
    remember(file);
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), source);
  }

  function remove(file: string): void {
    remember(file);
    rmSync(path(file));
  }

  function changed(file: string, change: (source: string) => string): string {
    const before = read(file);
    const after = change(before);
    if (Buffer.byteLength(after) === Buffer.byteLength(before)) {
      const what = after === before ? 'did not change' : 'did not change the length of';
      throw new Error(`The edit ${what} \`${file}\`:\n${before}`);
    }
    return after;
  }

  return {
    root,
    read,
    write,
    remove,
    edit: (file, change) => write(file, changed(file, change)),
    rename(from, to) {
      remember(from);
      remember(to);
      mkdirSync(dirname(path(to)), { recursive: true });
      renameSync(path(from), path(to));
    },
    saveLikeAnEditor(file, change) {
      remember(file);
      const temporary = join(dirname(path(file)), `.${basename(file)}.swp~`);
      writeFileSync(temporary, changed(file, change));
      renameSync(temporary, path(file));
    },
    restore() {
      const restored: string[] = [];
      for (const [file, source] of originals) {
        const now = existsSync(path(file)) ? read(file) : undefined;
        if (now === source) {
          continue;
        }
        if (source === undefined) {
          rmSync(path(file));
        } else {
          write(file, source);
        }
        restored.push(file);
      }
      originals.clear();
      return restored;
    },
    dispose: () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** As in the repository: packages that npm did not hoist lie in the project, all others above it. */
function linkNodeModules(
  base: string,
  root: string,
  { launcher, medusa, links }: { launcher: Launcher; medusa: string | undefined; links: Link[] },
): void {
  const hoisted = medusa
    ? join(otherMedusaFolder(medusa), 'node_modules')
    : join(REPOSITORY, 'node_modules');
  const own = [...links, ...(medusa ? [] : packagesIn(join(SHOP, 'node_modules')))];
  if (VITE_VERSION || medusa) {
    own.push(['medusa-vite', REPOSITORY]);
  }
  if (VITE_VERSION || (medusa && launcher !== 'cli')) {
    const vite = VITE_VERSION ? otherViteFolder(VITE_VERSION) : REPOSITORY;
    for (const name of ['vite', 'vite-node']) {
      own.push([name, join(vite, 'node_modules', name)]);
    }
  }
  if (own.length === 0) {
    linkEach(hoisted, join(root, 'node_modules'));
    return;
  }
  symlinkSync(hoisted, join(base, 'node_modules'), 'junction');
  for (const [name, folder] of own) {
    const link = join(root, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(folder), link, 'junction');
  }
}

/** Links each package by itself: two projects must not share Vite's caches, which lie there in `.vite`. */
function linkEach(hoisted: string, modules: string): void {
  mkdirSync(modules);
  for (const name of readdirSync(hoisted).filter((each) => !each.startsWith('.'))) {
    symlinkSync(realpathSync(join(hoisted, name)), join(modules, name), 'junction');
  }
}

/** The folder of each package by its name. */
function packagesIn(modules: string): Link[] {
  const names = existsSync(modules) ? readdirSync(modules) : [];
  return names
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((each) => `${name}/${each}`)
        : [name],
    )
    .map((name) => [name, join(modules, name)]);
}
