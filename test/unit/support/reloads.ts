import type { ReloadOutcome, ReloadPlan } from '../../../src/protocol/messages.ts';

export const EMPTY_PLAN: ReloadPlan = {
  invalidated: [],
  modules: {},
  evaluate: [],
  deleted: [],
  steps: [],
  guards: [],
  deferrable: [],
  isForced: false,
};

export function reloaded(...resources: string[]): ReloadOutcome {
  return {
    type: 'reloaded',
    resources,
    modules: 1,
    timing: { evaluate: 1, prepare: 1, commit: 1 },
  };
}
