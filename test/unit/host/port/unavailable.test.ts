import { describe, expect, it } from 'vitest';
import {
  describe as describeUnavailable,
  preferredFormat,
} from '../../../../src/host/port/unavailable.ts';

describe('the form of a 503', () => {
  it.each([
    [undefined, 'text'],
    ['*/*', 'text'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json, text/plain, */*', 'json'],
    ['application/problem+json', 'json'],
    ['text/plain', 'text'],
  ])('for `Accept: %s` is %s', (accept, format) => {
    expect(preferredFormat(accept)).toBe(format);
  });
});

describe('the body of a 503', () => {
  const failed = {
    type: 'failed',
    error: {
      name: 'Error',
      message: 'a </pre><script>alert(1)</script>',
      file: '/shop/src/api/route.ts',
      line: 2,
      hint: 'Mend it.',
    },
  } as const;

  it('never renders an error message as markup', () => {
    const html = describeUnavailable({ unavailable: failed, root: '/shop', format: 'html' });
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('src/api/route.ts:2');
  });

  it('gives the reason when there is no error', () => {
    const waiting = { type: 'waiting', reason: 'the app is starting' } as const;
    const options = { unavailable: waiting, root: '/shop' };
    expect(describeUnavailable({ ...options, format: 'text' })).toBe(
      'The app does not answer: the app is starting.\n',
    );
    expect(JSON.parse(describeUnavailable({ ...options, format: 'json' }))).toEqual({
      type: 'unavailable',
      message: 'The app does not answer: the app is starting.',
    });
  });
});
