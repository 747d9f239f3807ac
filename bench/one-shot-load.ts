import http from 'node:http';
import { percentileOf } from './statistics.ts';

/** The results of one server under load for a while. */
export interface LoadRound {
  requestsPerSecond: number;
  /** Milliseconds, connecting included. */
  latencyMedian: number;
  latencyP99: number;
  failed: number;
}

export interface OneShotLoadOptions {
  /** How many requests are under way at any time. */
  connections: number;
  seconds: number;
}

/**
 * Sends requests that each open a connection and close it. (autocannon does not count the response before a
 * reconnect, and with `connection: close` its latencies measure the wait for a free client.)
 */
export async function oneShotLoad(
  url: string,
  { connections, seconds }: OneShotLoadOptions,
): Promise<LoadRound> {
  const latencies: number[] = [];
  let failed = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  async function askOnAndOn(): Promise<void> {
    while (performance.now() < endsAt) {
      const askedAt = performance.now();
      if (await isAnswered(url)) {
        latencies.push(performance.now() - askedAt);
      } else {
        failed++;
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, askOnAndOn));
  return {
    requestsPerSecond: (latencies.length / (performance.now() - startedAt)) * 1000,
    latencyMedian: percentileOf(latencies, 0.5),
    latencyP99: percentileOf(latencies, 0.99),
    failed,
  };
}

/** Whether a complete answer with status 200 came. */
function isAnswered(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    http
      .get(url, { agent: false }, (response) => {
        response.once('end', () => resolve(response.statusCode === 200));
        response.once('error', () => resolve(false));
        response.resume();
      })
      .once('error', () => resolve(false));
  });
}
