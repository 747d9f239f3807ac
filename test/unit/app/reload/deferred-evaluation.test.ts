import { describe, expect, it } from 'vitest';
import { DeferredEvaluation } from '../../../../src/app/reload/deferred-evaluation.ts';
import { until } from '../../../e2e/support/until.ts';

function createDeferred(evaluate: (file: string) => unknown = () => {}) {
  const evaluated: string[] = [];
  const told: string[] = [];
  const errors: unknown[] = [];
  const deferred = new DeferredEvaluation({
    evaluate(file) {
      evaluated.push(file);
      evaluate(file);
      return { file };
    },
    onError: (error) => errors.push(error),
  });
  const add = (...files: string[]) => {
    for (const file of files) {
      deferred.add(file, (exports) => told.push(String(exports.file)));
    }
  };
  return { deferred, evaluated, told, errors, add };
}

describe('DeferredEvaluation', () => {
  it('evaluates everything by itself after the reload, once each', async () => {
    const { deferred, evaluated, told, add } = createDeferred();
    deferred.begin([]);
    add('a', 'b', 'c');
    expect(evaluated).toEqual([]);
    deferred.end();
    await until(
      () => told.length,
      (count) => count === 3,
    );
    expect(evaluated).toEqual(['a', 'b', 'c']);
    expect(['a', 'b', 'c'].some((file) => deferred.has(file))).toBe(false);
  });

  it('evaluates first the file that a request needs', async () => {
    const { deferred, evaluated, told, add } = createDeferred();
    deferred.begin([]);
    add('a', 'b', 'c');
    deferred.end();
    expect(await deferred.evaluate('b')).toEqual({ file: 'b' });
    expect(evaluated).toEqual(['b']);
    expect(told).toEqual(['b']);
    await until(
      () => told.length,
      (count) => count === 3,
    );
    expect(evaluated).toEqual(['b', 'a', 'c']);
  });

  it('evaluates nothing during the next reload, and a request that needs a file waits for its end', async () => {
    const { deferred, evaluated, add } = createDeferred();
    deferred.begin([]);
    add('a', 'b');
    deferred.end();
    deferred.begin([]);
    const needed = deferred.evaluate('b');
    await new Promise((resolve) => setImmediate(resolve));
    expect(evaluated).toEqual([]);
    deferred.end();
    await needed;
    expect(evaluated[0]).toBe('b');
  });

  it('evaluates before a reload the files that the reload replaces', () => {
    const { deferred, evaluated, add } = createDeferred();
    add('a', 'b');
    deferred.begin(['b', 'unknown']);
    expect(evaluated).toEqual(['b']);
    expect(deferred.has('a')).toBe(true);
  });

  it('reports an error, and goes on with the others', async () => {
    const error = new Error('not today');
    const { deferred, told, errors, add } = createDeferred((file) => {
      if (file === 'a') {
        throw error;
      }
    });
    deferred.begin([]);
    add('a', 'b');
    deferred.end();
    await until(
      () => told,
      (files) => files.includes('b'),
    );
    expect(errors).toEqual([error]);
    await expect(deferred.evaluate('a')).rejects.toBe(error);
  });
});
