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

/** Turns the plan of the rules into instructions for the app. */
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
 * @returns ids of unused modules, whose code the app still has
 */
export function noteReloaded(modules: AppModules, plan: ReloadPlan): string[] {
  const evaluable = new Set(plan.evaluate);
  // Checks the imports again: the app may have fetched a module meanwhile that imports one of these.
  const dropped = plan.invalidated.filter(
    (id) =>
      // A deleted file that came back was evaluated; the next update deals with it.
      !modules.isFetched(id) &&
      (plan.deleted.includes(id) ||
        (!evaluable.has(id) && !(id in plan.modules) && !modules.isStillImported(id))),
  );
  modules.forget(dropped);
  modules.accept(plan.modules);
  modules.own(plan.steps.flatMap((step) => step.files));
  return [...dropped, ...modules.takeOrphans()];
}

/** Files of resources of which only modules that they import have changed, not the file itself. */
function deferrableFiles(steps: ReloadStep[], fresh: FreshCode, modules: AppModules): string[] {
  return steps
    .flatMap(({ files }) => files)
    .filter(
      ({ file, change }) =>
        change === 'update' && !(file in fresh) && modules.importersOf(file).length === 0,
    )
    .map(({ file }) => file);
}
