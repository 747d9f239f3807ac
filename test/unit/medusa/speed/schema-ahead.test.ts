import { expect, test } from 'vitest';
import { SchemaAhead } from '../../../../src/medusa/speed/schema-ahead.ts';

const TEXT = 'type A { b: String }';

function createGraphQL() {
  const calls: string[] = [];
  const exports = {
    cleanGraphQLSchema: (text: string) => {
      calls.push(`clean ${text}`);
      if (text === 'broken') {
        throw new Error('Syntax Error');
      }
      return { schema: `cleaned ${text}` };
    },
    mergeTypeDefs: (schema: string) => calls.push(`merge ${schema}`),
    makeExecutableSchema: () => calls.push('make'),
  };
  const ahead = new SchemaAhead({ require: () => exports, assertReplaceable: () => {} });
  return { ahead, calls, clean: (text: string) => exports.cleanGraphQLSchema(text) };
}

test('what was made ahead is given away, once', () => {
  const { ahead, calls, clean } = createGraphQL();
  ahead.make(TEXT);
  expect(calls.splice(0)).toEqual([`clean ${TEXT}`, `merge cleaned ${TEXT}`, 'make']);
  const cleaned = clean(TEXT);
  expect(cleaned).toEqual({ schema: `cleaned ${TEXT}` });
  expect(calls).toEqual([]);
  expect(clean(TEXT)).not.toBe(cleaned);
  expect(calls).toEqual([`clean ${TEXT}`]);
});

test('another text is made as ever', () => {
  const { ahead, clean } = createGraphQL();
  ahead.make(TEXT);
  expect(clean('type C { d: Int }')).toEqual({ schema: 'cleaned type C { d: Int }' });
});

test('an app says what it has made its schema of', () => {
  const { ahead, clean } = createGraphQL();
  ahead.make('type C { d: Int }');
  expect(ahead.text).toBeUndefined();
  clean(TEXT);
  clean('type C { d: Int }');
  expect(ahead.text).toBe(TEXT);
});

test('of a text that is wrong the app itself complains', () => {
  const { ahead, clean } = createGraphQL();
  ahead.make('broken');
  expect(() => clean('broken')).toThrow('Syntax Error');
});
