import { expect, it } from 'vitest';
import { workflowIdsOf } from '../../../../src/medusa/workflows/workflow-loader.ts';

it('knows a workflow by its `getName`', () => {
  const workflow = (name: unknown) => Object.assign(() => {}, { getName: () => name });
  const exports = {
    first: workflow('first'),
    default: workflow('second'),
    step: () => {},
    nameless: workflow(undefined),
    text: 'first',
    nothing: null,
  };
  expect(workflowIdsOf(exports)).toEqual(['first', 'second']);
});
