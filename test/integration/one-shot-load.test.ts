import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { oneShotLoad } from '../../bench/one-shot-load.ts';
import { portOf } from '../e2e/support/ports.ts';

test('every request has a connection of its own, and what fails is counted as such', async () => {
  let connections = 0;
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.statusCode = requests % 10 === 0 ? 500 : 200;
    response.end('{}');
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${portOf(server)}/`;
  const load = await oneShotLoad(url, { connections: 4, seconds: 0.3 });
  await new Promise((resolve) => server.close(resolve));
  expect(connections).toBe(requests);
  expect(load.failed).toBe(Math.floor(requests / 10));
  expect(load.requestsPerSecond).toBeGreaterThan(0);
  expect(load.latencyP99).toBeGreaterThanOrEqual(load.latencyMedian);

  const nobody = await oneShotLoad(url, { connections: 1, seconds: 0.05 });
  expect(nobody).toMatchObject({ requestsPerSecond: 0, latencyMedian: 0 });
  expect(nobody.failed).toBeGreaterThan(0);
});
