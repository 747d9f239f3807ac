import { expect, it } from 'vitest';
import { parseInspect } from '../../../../src/host/processes/inspect-option.ts';

it.each([
  ['--inspect', '127.0.0.1', 9229],
  ['--inspect=9230', '127.0.0.1', 9230],
  ['--inspect=0', '127.0.0.1', 0],
  ['--inspect=localhost', 'localhost', 9229],
  ['--inspect=0.0.0.0', '0.0.0.0', 9229],
  ['--inspect=localhost:9230', 'localhost', 9230],
  // Without brackets, as `inspector.open` wants it.
  ['--inspect=[::1]:9230', '::1', 9230],
  ['--inspect=[::1]', '::1', 9229],
])('takes %s out of the arguments of Node', (argument, host, port) => {
  const inspect = { host, port, wait: false };
  expect(parseInspect(argument, [])).toEqual({ inspect, nodeArgs: [] });
  expect(parseInspect(undefined, ['--trace-warnings', argument])).toEqual({
    inspect,
    nodeArgs: ['--trace-warnings'],
  });
});

it('waits for the debugger if asked to', () => {
  const { inspect } = parseInspect('--inspect-brk=localhost', []);
  expect(inspect).toEqual({ host: 'localhost', port: 9229, wait: true });
});

it('leaves arguments that it cannot read to Node', () => {
  const nodeArgs = ['--inspect=a b', '--inspect=::1', '--inspect=host:', '--inspect-port=1'];
  expect(parseInspect(undefined, nodeArgs)).toEqual({ inspect: undefined, nodeArgs });
});
