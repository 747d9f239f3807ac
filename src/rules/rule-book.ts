import type { ResolvedConfig } from 'vite';
import { listFiles } from '../project/project.ts';
import { collectRules } from './collect-rules.ts';
import { globMatcher } from './rule.ts';
import { BUILT_IN, createRuleSet, describeRule, type RuleSet } from './rule-set.ts';

export interface RuleBookOptions {
  root: string;
  /** Vite's config: another object after each restart of Vite. */
  config(): Pick<ResolvedConfig, 'plugins'>;
  /** Gets each problem once. */
  warn(problem: string): void;
}

/** The present rules of a project, checked once for each Vite config. */
export class RuleBook {
  readonly #options: RuleBookOptions;
  readonly #sets = new WeakMap<object, RuleSet>();
  readonly #said = new Set<string>();

  constructor(options: RuleBookOptions) {
    this.#options = options;
  }

  get current(): RuleSet {
    const { root } = this.#options;
    const config = this.#options.config();
    let set = this.#sets.get(config);
    if (!set) {
      set = createRuleSet(collectRules(config), root);
      this.#sets.set(config, set);
      this.#warn(set.problems);
      void this.#warnOfMisses(set);
    }
    return set;
  }

  /** Warns of globs that match no file, and of globs whose files an earlier rule takes. */
  async #warnOfMisses(set: RuleSet): Promise<void> {
    const globs = globsOf(set);
    if (globs.length > 0) {
      const files = await listFiles(this.#options.root);
      this.#warn([...findUnused(globs, files), ...findShadowed(globs, files)]);
    }
  }

  #warn(problems: string[]): void {
    for (const problem of problems) {
      if (!this.#said.has(problem)) {
        this.#said.add(problem);
        this.#options.warn(problem);
      }
    }
  }
}

interface OwnedGlob {
  glob: string;
  /** Describes the rule. */
  owner: string;
}

function globsOf({ rules }: RuleSet): OwnedGlob[] {
  return rules
    .filter(({ from }) => from !== BUILT_IN)
    .flatMap((rule) => {
      const globs = [rule.match].flat().filter((match) => typeof match === 'string');
      return globs.map((glob) => ({ glob, owner: describeRule(rule) }));
    });
}

function findUnused(globs: OwnedGlob[], files: string[]): string[] {
  return globs
    .filter(({ glob }) => !files.some(globMatcher(glob)))
    .map(
      ({ glob, owner }) =>
        `No file of the project matches \`${glob}\`, a glob of ${owner}. ` +
        'Globs are relative to the project, with forward slashes.',
    );
}

/** One problem for each pair of rules that match the same file. */
function findShadowed(globs: OwnedGlob[], files: string[]): string[] {
  const matchers = globs.map(({ glob, owner }) => ({ matches: globMatcher(glob), owner }));
  const problems = new Map<string, string>();
  for (const file of files) {
    const owners = new Set(
      matchers.filter(({ matches }) => matches(file)).map(({ owner }) => owner),
    );
    const [first, ...others] = owners;
    for (const other of others) {
      const pair = `${first} and ${other}`;
      if (!problems.has(pair)) {
        problems.set(pair, `\`${file}\` is matched by ${pair}: the first of them decides.`);
      }
    }
  }
  return [...problems.values()];
}
