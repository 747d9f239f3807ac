import type { ReloadGuard } from '../../protocol/messages.ts';
import type { ProjectRunner } from '../runner/project-runner.ts';
import { importedNames } from './imported-names.ts';
import { sameExport } from './same-exports.ts';

type Exports = Record<string, unknown>;

/** Whether an import turned out the same for its importer, which only a restart evaluates again. */
export function isUnaffected(
  { importer, imported }: ReloadGuard,
  runner: Pick<ProjectRunner, 'root' | 'codeOf' | 'exportsOf' | 'exportsBefore'>,
): boolean {
  const before = runner.exportsBefore(imported);
  const after = runner.exportsOf(imported);
  const names = importedNames(runner.codeOf(importer) ?? '', imported, runner.root);
  return before !== undefined && after !== undefined && sameImports(before, after, names);
}

/** `names`: the imported ones; undefined if any export may be used. */
function sameImports(before: Exports, after: Exports, names: string[] | undefined): boolean {
  const isNamed = before.__esModule && after.__esModule;
  // The `default` of JSON and of CommonJS is the whole module, and not one of its exports.
  const keys = names?.includes('default') && !isNamed ? undefined : names;
  if (keys === undefined && !isNamed) {
    return sameExport(before, after);
  }
  return (keys ?? Object.keys({ ...before, ...after })).every((key) =>
    sameExport(before[key], after[key]),
  );
}
