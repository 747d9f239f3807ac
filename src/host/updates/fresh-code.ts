import type { FetchedModule } from '../../protocol/messages.ts';
import type { Plan } from '../../rules/planner.ts';
import type { Change } from '../../shared/change.ts';
import { isRunnerFile } from '../../shared/paths.ts';
import type { Transformer } from '../../vite/transformer.ts';
import type { AppModules } from '../processes/app-modules.ts';

/** The new code of modules, by id. */
export type FreshCode = Record<string, FetchedModule>;

export interface FreshCodeOptions {
  root: string;
  transformer: Transformer;
  modules: AppModules;
  changes: Change[];
  plan: Plan;
  /** Whether the app lacks earlier changes. */
  isBehind: boolean;
}

/**
 * Transforms the changed modules. Where files came or went, imports resolve differently, so their importers are
 * transformed anew as well. @throws the error in the code
 */
export async function transformChanges(options: FreshCodeOptions): Promise<FreshCode> {
  const { transformer, changes, plan, isBehind } = options;
  const ids = new Set(changes.flatMap((change) => modulesOf(change, options)));
  for (const { file } of plan.ignored) {
    ids.delete(file);
  }
  if (isBehind || changes.some(({ change }) => change !== 'update')) {
    transformer.invalidate(plan.invalidated);
    for (const id of plan.invalidated) {
      ids.add(id);
    }
  }
  for (const { file, change } of changes) {
    if (change === 'delete') {
      ids.delete(file);
    }
  }
  const fresh: FreshCode = {};
  await Promise.all(
    [...ids].map(async (id) => {
      fresh[id] = await transformer.transform(id);
    }),
  );
  return fresh;
}

function modulesOf(
  { file, change }: Change,
  { root, modules }: Pick<FreshCodeOptions, 'root' | 'modules'>,
): string[] {
  if (change === 'delete' || !isRunnerFile(root, file)) {
    return [];
  }
  const known = modules.modulesOf(file);
  // JSON that the app has not loaded may be for other programs, and have comments, as a tsconfig has.
  const isForOthers = known.length === 0 && file.endsWith('.json');
  return known.length > 0 || isForOthers ? known : [file];
}

/** Whether the fresh code does the same as the app's present code. */
export function isWithoutEffect(
  fresh: FreshCode,
  { changes, plan, modules }: Pick<FreshCodeOptions, 'changes' | 'plan' | 'modules'>,
): boolean {
  return (
    plan.steps.every(({ files }) => files.every(({ change }) => change === 'update')) &&
    changes.every(({ file, change, isForced }) => {
      const ids = modules.modulesOf(file);
      return (
        change === 'update' &&
        !isForced &&
        ids.length > 0 &&
        ids.every((id) => fresh[id] && !modules.isChanged(id, fresh[id]))
      );
    })
  );
}
