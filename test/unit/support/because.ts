import type { RestartReason } from '../../../src/protocol/reason.ts';

/** A reason whose text is of no interest to what is tested. */
export function because(text: string): RestartReason {
  return { type: 'asked-by-reloader', text };
}
