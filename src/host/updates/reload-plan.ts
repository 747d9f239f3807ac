import type { ReloadPlan, ReloadStep } from '../../protocol/messages.ts';
import type { Plan } from '../../rules/planner.ts';
import type { Change } from '../../shared/change.ts';
import { fileOfId } from '../../shared/paths.ts';
import type { AppModules } from '../processes/app-modules.ts';
import type { FreshCode } from './fresh-code.ts';

export interface ReloadPlanOptions {
  changes: Change[];
  plan: Plan;
  fresh: FreshCode;
  modules: AppModules;
}

/** What the app is asked to do. */
export function createReloadPlan({ changes, plan, fresh, modules }: ReloadPlanOptions): ReloadPlan {
  const { invalidated, steps, guards } = plan;
  const gone = new Set(changes.filter(({ change }) => change === 'delete').map(({ file }) => file));
  const deleted = invalidated.filter((id) => gone.has(fileOfId(id)));
  return {
    invalidated,
    modules: fresh,
    steps,
    evaluate: invalidated.filter(
      (id) => !deleted.includes(id) && (modules.isEntry(id) || modules.isStillImported(id)),
    ),
    deleted,
    guards,
    deferrable: deferrableFiles(steps, fresh, modules),
    isForced: changes.some(({ isForced }) => isForced),
  };
}

/**
 * Notes which modules the app has after a reload.
 * @returns ids of modules that it has the code of still, and would not ask for again
 */
export function noteReloaded(modules: AppModules, plan: ReloadPlan): string[] {
  const evaluable = new Set(plan.evaluate);
  // Asked again: a module that the app has fetched meanwhile may import one of them.
  const dropped = plan.invalidated.filter(
    (id) =>
      // A file that is back by now was evaluated: of that the next update will know.
      !modules.isFetched(id) &&
      (plan.deleted.includes(id) ||
        (!evaluable.has(id) && !(id in plan.modules) && !modules.isStillImported(id))),
  );
  modules.forget(dropped);
  modules.accept(plan.modules);
  modules.own(plan.steps.flatMap((step) => step.files));
  return [...dropped, ...modules.takeOrphans()];
}

/** Files of resources that only something below them has changed for. */
function deferrableFiles(steps: ReloadStep[], fresh: FreshCode, modules: AppModules): string[] {
  return steps
    .flatMap(({ files }) => files)
    .filter(
      ({ file, change }) =>
        change === 'update' && !(file in fresh) && modules.importersOf(file).length === 0,
    )
    .map(({ file }) => file);
}
