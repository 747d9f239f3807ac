import picomatch from 'picomatch';

export type FileChange = 'create' | 'update' | 'delete';

/** The file that a rule is asked about. */
export interface RuleFile {
  /** Relative to the project, with forward slashes; absolute for a file outside of it. */
  path: string;
  /** What happened to the file; `update` also for a file that only imports the changed one. */
  change: FileChange;
  /** Whether the running app has loaded it. */
  isLoaded: boolean;
}

/**
 * Says what to do when a file, or something that it imports, has changed. The first rule that matches
 * decides.
 *
 * @example { name: 'graphql', match: 'src/graphql/**', action: 'restart' }
 */
export interface Rule {
  /** Shown in messages, e.g. as the reason of a restart. */
  name: string;
  /** A glob relative to the project, several of them, an expression for the relative path, or a function. */
  match: string | string[] | RegExp | ((file: RuleFile) => boolean);
  /** `restart`, `ignore`, or the name of a reloader. */
  action: RuleAction;
  /** Told to the user when the rule has decided, e.g. which command to run by hand. */
  note?: string;
}

export type RuleAction = 'restart' | 'ignore' | (string & {});

/** @throws nothing; a rule that throws is reported by whoever asked. */
export function matches(rule: Rule, file: RuleFile): boolean {
  const { match } = rule;
  if (typeof match === 'function') {
    return match(file);
  }
  if (match instanceof RegExp) {
    return match.test(file.path);
  }
  return globMatcher(match)(file.path);
}

const matchers = new Map<string, (path: string) => boolean>();

function globMatcher(glob: string | string[]): (path: string) => boolean {
  const key = [glob].flat().join('\n');
  let matcher = matchers.get(key);
  if (!matcher) {
    matcher = picomatch(glob, { dot: true });
    matchers.set(key, matcher);
  }
  return matcher;
}
