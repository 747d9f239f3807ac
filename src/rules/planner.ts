import type { ReloadFile, ReloadGuard, ReloadStep } from '../protocol/messages.ts';
import type { IgnoreReason, RestartReason } from '../protocol/reason.ts';
import type { Change, FileChange } from '../shared/change.ts';
import { fileOfId, isRunnerFile, relativeToRoot } from '../shared/paths.ts';
import type { RuleFile } from './rule.ts';
import { type CheckedRule, decidingRule } from './rule-set.ts';

/** The planner's view of the app's modules. */
export interface Graph {
  modulesOf(file: string): string[];
  importersOf(id: string): string[];
  filesLike(file: string): string[];
  /** Loaded modules with an `import.meta.glob` that matches the file. */
  globImportersOf(file: string): string[];
  isLoaded(id: string): boolean;
  isEntry(file: string): boolean;
  isNative(file: string): boolean;
  /** Whether a module accepts the update of a dependency, or of itself, by `import.meta.hot.accept`. */
  accepts(id: string, dependency: string): boolean;
}

export interface Restart {
  reason: RestartReason;
  /** From the changed file up to the one that forced the restart; relative paths. */
  chain: string[];
}

export interface Ignored {
  file: string;
  reason: IgnoreReason;
  /** Whether the app might load the file: an app that cannot run may be missing just this one. */
  mayBeMissing: boolean;
}

export interface Plan {
  ignored: Ignored[];
  /** If set, the rest does not matter. */
  restart: Restart | undefined;
  /** Ids of out-of-date modules and their importers; some may have no importer any more. */
  invalidated: string[];
  steps: ReloadStep[];
  /** Modules that need a restart if their imports turn out different. */
  guards: ReloadGuard[];
  /** Further messages to the user, e.g. which command to run. */
  notes: string[];
  /** The rule that decided on each file, in the order in which imports led there. */
  decisions: Decision[];
}

export interface Decision {
  file: RuleFile;
  rule: CheckedRule;
}

export interface PlannerOptions {
  root: string;
  graph: Graph;
  /** In the order in which they are asked. */
  rules: readonly CheckedRule[];
}

/**
 * Decides what a set of changes takes, and does none of it.
 *
 * Every path from a changed file up the importers has to end at a resource that a reloader can bring up to
 * date. Where one ends elsewhere (a link, the config), part of the app would go on with old code: the app has
 * to restart, unless the import there turns out the same once it is evaluated.
 */
export function plan(changes: Change[], { root, graph, rules }: PlannerOptions): Plan {
  const result: Plan = {
    ignored: [],
    restart: undefined,
    invalidated: [],
    steps: [],
    guards: [],
    notes: [],
    decisions: [],
  };
  const files = new Map<string, Map<string, ReloadFile>>();
  const visited = new Set<string>();

  /** `below`: the files that led here, the changed one first. */
  function decide(file: string, change: FileChange, below: string[]): CheckedRule | undefined {
    const relative = (path: string) => relativeToRoot(root, path);
    const asked: RuleFile = {
      path: relative(file),
      change,
      isLoaded: graph.isLoaded(file),
      // Both are worked out only when read: there may be thousands of files.
      get chain() {
        return [...below, file].map(relative);
      },
      get affected() {
        return affectedFiles(graph, file).map(relative);
      },
    };
    const rule = decidingRule(rules, asked);
    if (rule) {
      result.decisions.push({ file: asked, rule });
    }
    return rule;
  }

  function addStep(reloader: string, file: string, change: FileChange): void {
    const known = files.get(reloader) ?? new Map<string, ReloadFile>();
    files.set(reloader, known);
    // A change of the file itself says more than a change of its imports.
    if (!known.has(file) || change !== 'update') {
      known.set(file, { file, change });
    }
  }

  function restart(reason: RestartReason, chain: string[]): void {
    result.restart ??= { reason, chain: chain.map((file) => relativeToRoot(root, file)) };
  }

  /** Marks a module as out of date. `chain`: the files below it, the changed one first. */
  function visit(id: string, chain: string[]): void {
    if (visited.has(id)) {
      return;
    }
    visited.add(id);
    result.invalidated.push(id);
    if (!graph.accepts(id, id)) {
      climb(id, [...chain, fileOfId(id)]);
    }
  }

  /** Goes on to the module's importers. */
  function climb(id: string, chain: string[]): void {
    for (const importer of graph.importersOf(id)) {
      if (!graph.accepts(importer, id)) {
        reach(importer, chain, id);
      }
    }
  }

  /** Decides on a module whose import has changed. `imported`: the module to compare, if there is one. */
  function reach(id: string, chain: string[], imported?: string): void {
    const file = fileOfId(id);
    const rule = decide(file, 'update', chain);
    if (rule?.action === 'ignore') {
      return;
    }
    if (rule ? rule.action === 'restart' : graph.isEntry(file)) {
      const reason: RestartReason = {
        type: 'import-changed',
        path: relativeToRoot(root, chain[0] ?? ''),
        importer: relativeToRoot(root, file),
        rule: rule?.name,
      };
      if (imported === undefined) {
        restart(reason, [...chain, file]);
      } else {
        result.guards.push({ importer: id, imported, reason });
      }
      return;
    }
    if (rule) {
      addStep(rule.action, file, 'update');
    }
    visit(id, chain);
  }

  for (const { file, change, isForced } of changes) {
    const path = relativeToRoot(root, file);
    const rule = decide(file, change, []);
    const modules = graph.modulesOf(file);
    if (rule?.note) {
      result.notes.push(rule.note);
    }
    if (rule?.action === 'ignore') {
      result.ignored.push({
        file,
        reason: { type: 'rule', rule: rule.name },
        mayBeMissing: isCode(root, file) && (rule.mayBeMissing?.(path) ?? false),
      });
    } else if (rule?.action === 'restart') {
      restart({ type: 'file-changed', path, change }, [file]);
    } else if (graph.isNative(file)) {
      restart({ type: 'native-file-changed', path, change }, [file]);
    } else {
      // A new file may take the place of another one in an import without extension, or be in a glob.
      const isNew = change === 'create';
      const replaced = isNew ? graph.filesLike(file) : [];
      const globImporters = isNew ? graph.globImportersOf(file) : [];
      const affected = [...modules, ...replaced];
      if (!rule && affected.length === 0 && globImporters.length === 0) {
        result.ignored.push({
          file,
          reason: { type: 'not-loaded' },
          mayBeMissing: isCode(root, file),
        });
        continue;
      }
      if (isForced) {
        // The module itself is up to date, but called `hot.invalidate` after its update: its importers are not.
        for (const id of modules) {
          climb(id, [file]);
        }
        continue;
      }
      if (rule) {
        addStep(rule.action, file, change);
      } else if (graph.isEntry(file)) {
        restart({ type: 'no-reloader', path }, [file]);
        continue;
      }
      for (const id of affected) {
        visit(id, []);
      }
      for (const id of globImporters) {
        reach(id, [file]);
      }
    }
  }
  result.steps = [...files].map(([reloader, known]) => ({
    reloader,
    files: [...known.values()],
  }));
  return result;
}

/** Whether the runner or Node can evaluate the file. */
function isCode(root: string, file: string): boolean {
  return isRunnerFile(root, file) || NATIVE_CODE.test(file);
}

const NATIVE_CODE = /\.(?:[cm]?js|json|node)$/;

/** The file and all its importers, at any depth. */
function affectedFiles(graph: Graph, file: string): string[] {
  const ids = new Set(graph.modulesOf(file));
  for (const id of ids) {
    for (const importer of graph.importersOf(id)) {
      ids.add(importer);
    }
  }
  return [...new Set([file, ...[...ids].map(fileOfId)])];
}
