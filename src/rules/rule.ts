import picomatch from 'picomatch';
import type { FileChange } from '../shared/change.ts';

/** The file that a rule is asked about: the changed one, then each of its importers. */
export interface RuleFile {
  /** Relative to the project, with forward slashes; absolute for a file outside of it. */
  readonly path: string;
  /** The change of the file; `update` also for a file that only imports the changed one. */
  readonly change: FileChange;
  /** Whether the running app has loaded it. */
  readonly isLoaded: boolean;
  /**
   * From the changed file up to this one, each imported by the next. Only this file, if it is the changed one.
   * Paths as in `path`.
   */
  readonly chain: readonly string[];
  /**
   * The file and all loaded files that import it, at any depth, nearest first. Paths as in `path`. Computed when
   * it is read.
   */
  readonly affected: readonly string[];
}

/**
 * Says what to do when a file, or something that it imports, has changed. The first rule that matches
 * decides.
 *
 * @example { name: 'graphql', match: 'src/graphql/**', action: 'restart' }
 * @example { name: 'notices', match: 'src/notices/*.ts', action: { reloader: './reloaders/notices.ts' } }
 */
export interface Rule {
  /** Shown in messages, e.g. as the reason of a restart. */
  name: string;
  /**
   * A glob relative to the project, several of them, an expression for the relative path, or a function,
   * which must answer at once: a promise is an error.
   */
  match: string | string[] | RegExp | ((file: RuleFile) => boolean);
  /** `restart`, `ignore`, a built-in reloader by its name, or a reloader of your own. */
  action: RuleAction;
  /** Shown to the user when the rule has decided on a changed file, e.g. which command to run by hand. */
  note?: string;
}

/** Further properties of built-in rules. */
export interface RuleTraits {
  /** Whether the rule's files decide which Medusa modules there are. */
  choosesModules?: true;
  /** Whether an app that cannot run may be missing a file that the rule ignores as not loaded. */
  mayBeMissing?: (path: string) => boolean;
}

export type RuleAction = 'restart' | 'ignore' | BuiltInReloader | OwnReloader;

/** The reloaders of medusa-vite, by Medusa's names of the resources. */
export const BUILT_IN_RELOADERS = [
  'modules',
  'workflows',
  'routes',
  'subscribers',
  'jobs',
] as const;
export type BuiltInReloader = (typeof BUILT_IN_RELOADERS)[number];

/** A module of your own that brings files up to date: see `defineReloader` of `medusa-vite/reloader`. */
export interface OwnReloader {
  /** Path relative to the project, absolute path, `file:` URL, or a specifier such as `my-plugin/reloader`. */
  reloader: string;
  /**
   * The file, as a path or `file:` URL, that a relative path or a specifier is resolved from. A plugin gives
   * `import.meta.url`.
   * @default the project
   */
  from?: string;
}

/** @throws the rule's error, and a TypeError if the rule answers with a promise */
export function matches({ match }: Pick<Rule, 'match'>, file: RuleFile): boolean {
  if (typeof match === 'function') {
    const answer: unknown = match(file);
    if (answer instanceof Promise) {
      answer.catch(() => {});
      throw new TypeError('`match` answered with a promise, and has to answer at once');
    }
    return !!answer;
  }
  if (match instanceof RegExp) {
    // With the flags `g` and `y`, an expression goes on where it stopped.
    match.lastIndex = 0;
    return match.test(file.path);
  }
  return [match].flat().some((glob) => globMatcher(glob)(file.path));
}

const matchers = new Map<string, (path: string) => boolean>();

/** Compiles a glob of a rule. The function takes a relative path. */
export function globMatcher(glob: string): (path: string) => boolean {
  let matcher = matchers.get(glob);
  if (!matcher) {
    // A picomatch matcher would normalize slashes too, which these paths do not need. That matters: a file that
    // everything imports makes every rule answer for thousands of files.
    const expression = picomatch.makeRe(glob, { dot: true });
    matcher = (path) => path === glob || expression.test(path);
    matchers.set(glob, matcher);
  }
  return matcher;
}
