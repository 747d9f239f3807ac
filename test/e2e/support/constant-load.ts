import http from 'node:http';

export interface ConstantLoad {
  /** Requests sent so far. */
  readonly total: number;
  /** Stops sending, waits for the requests under way and returns the result. */
  stop(): Promise<LoadResult>;
}

export interface LoadResult {
  total: number;
  /** One line for each request that was not answered with 2xx. */
  failed: string[];
  slowestMs: number;
}

/** Longer than any reload may hold a request; a request that takes this long has failed. */
const REQUEST_WAIT_MS = 30_000;

/** Less than the 5 s after which Node's servers close an idle connection: a request sent just then is lost with any server. */
const IDLE_MS = 2_000;

/**
 * An app that is killed right after an answer, before it has noted it, takes its connection with it, and a client may be about
 * to send the next request there. HTTP clients send such a request again. An app that loses connections at each restart
 * loses more of them: each load keeps up to 8.
 */
const MAX_SENT_AGAIN = 2;

/** On a machine that is too busy for the rate, more requests would only wait in line. */
const MAX_UNDER_WAY = 30;

/** Requests the URL at a steady rate, by turns over connections that stay open and connections that do not. */
export function constantLoad(
  url: string,
  {
    perSecond,
    waitMs = REQUEST_WAIT_MS,
    maxUnderWay = MAX_UNDER_WAY,
  }: { perSecond: number; waitMs?: number; maxUnderWay?: number },
): ConstantLoad {
  const agents = [
    new http.Agent({ keepAlive: true, maxSockets: 8, timeout: IDLE_MS }),
    new http.Agent({ keepAlive: false }),
  ];
  const result: LoadResult = { total: 0, failed: [], slowestMs: 0 };
  const underWay = new Set<Promise<void>>();

  let sentAgain = 0;
  const onLost = () => ++sentAgain <= MAX_SENT_AGAIN;

  function send(): void {
    if (underWay.size >= maxUnderWay) {
      return;
    }
    const agent = agents[result.total % agents.length];
    result.total++;
    const startedAt = performance.now();
    const request = ask(url, { agent, waitMs, onLost }).then((failure) => {
      const ms = performance.now() - startedAt;
      result.slowestMs = Math.max(result.slowestMs, Math.round(ms));
      if (failure !== undefined) {
        result.failed.push(`${failure} after ${Math.round(ms)} ms`);
      }
      underWay.delete(request);
    });
    underWay.add(request);
  }

  send();
  const timer = setInterval(send, 1000 / perSecond);
  return {
    get total() {
      return result.total;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      for (const agent of agents) {
        agent.destroy();
      }
      return result;
    },
  };
}

interface AskOptions {
  agent: http.Agent | undefined;
  waitMs: number;
  /** The connection was closed between two requests. @returns whether to send the second one again */
  onLost(): boolean;
}

/** Resolves to the failure, if there was one. */
function ask(url: string, { agent, waitMs, onLost }: AskOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get(url, { agent, timeout: waitMs }, (response) => {
      const { statusCode = 0 } = response;
      response.once('error', (error) => resolve(String(error)));
      response.once('end', () => {
        resolve(statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`);
      });
      response.resume();
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', (error: NodeJS.ErrnoException) => {
      const isLost = request.reusedSocket && error.code === 'ECONNRESET' && onLost();
      resolve(isLost ? ask(url, { agent, waitMs, onLost }) : String(error));
    });
  });
}
