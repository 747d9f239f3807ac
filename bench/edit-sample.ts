import { setTimeout as delay } from 'node:timers/promises';
import type { BenchAnswer, HttpClient } from './http-client.ts';

/** How one edit went for a client that asked all the time. */
export interface EditSample {
  outcome: 'fresh' | 'stale' | 'down';
  /** Time from the write to the first answer of new code; `undefined` if none came. */
  ms: number | undefined;
  /** Requests since the write without an answer (refused, reset), or with another status than 200. */
  failed: number;
  /** How long requests failed, in ms. */
  downMs: number;
  /** Answers of old code after an answer of new code. */
  stale: number;
  /** Time of one answer afterwards, when nothing else went on; `undefined` if none came. */
  answerMs?: number | undefined;
}

export interface EditProbe {
  /** The path to ask over and over. */
  path: string;
  isFresh(text: string): boolean;
  /** Whether the path is new with the edit, so that a 404 is no failure. */
  isNew?: boolean;
  /** A path to ask in turn with `path`; it always has to answer with 200. */
  control?: string;
}

export interface SampleOptions {
  http: HttpClient;
  probe: EditProbe;
  /** A server that answers with old code for so long, without a failure, will not answer with new code. */
  staleLimitMs: number;
  downLimitMs: number;
  /** How long to look at answers after the first one of new code. @default 200 */
  aftermathMs?: number;
}

/** The pause between an answer and the next request. */
const PAUSE_MS = 1;
/** The pause while nothing listens: more requests would only slow down a server that is about to. */
const REFUSED_PAUSE_MS = 10;
/** Failures that follow new code show by then; besides, Vite's watcher needs 50 ms. */
const AFTERMATH_MS = 200;

/** Calls `save`, and asks until the new code answers. */
export async function sampleEdit(save: () => void, options: SampleOptions): Promise<EditSample> {
  const { probe, staleLimitMs, downLimitMs, aftermathMs = AFTERMATH_MS } = options;
  const tally = new Tally(options.http);
  const startedAt = performance.now();
  save();
  let ms: number | undefined;
  for (;;) {
    const answer = await tally.ask(probe.path, probe.isNew);
    if (answer.status === 200 && probe.isFresh(answer.text)) {
      ms = performance.now() - startedAt;
      break;
    }
    if (probe.control) {
      await tally.ask(probe.control);
    }
    const now = performance.now();
    const isGivenUp = tally.isFailing
      ? now - startedAt > downLimitMs
      : now - Math.max(startedAt, tally.failedUntil) > staleLimitMs;
    if (isGivenUp) {
      return {
        outcome: tally.isFailing ? 'down' : 'stale',
        ms,
        failed: tally.failed,
        downMs: tally.downMs,
        stale: 0,
      };
    }
  }
  const freshAt = performance.now();
  let stale = 0;
  let answerMs: number | undefined;
  while (performance.now() - freshAt < aftermathMs) {
    const answer = await tally.ask(probe.path);
    answerMs = answer.status === 200 ? answer.ms : undefined;
    stale += answer.status === 200 && !probe.isFresh(answer.text) ? 1 : 0;
    if (probe.control) {
      await tally.ask(probe.control);
    }
  }
  return { outcome: 'fresh', ms, failed: tally.failed, downMs: tally.downMs, stale, answerMs };
}

export interface TypoSample extends EditSample {
  /** Whether the app answered at the end of the broken time. */
  survived: boolean;
}

/** Saves broken code, asks for a while, saves the fix, and measures the time of that. */
export async function sampleTypo(
  { broken, fixed, brokenMs }: { broken: () => void; fixed: () => void; brokenMs: number },
  options: SampleOptions,
): Promise<TypoSample> {
  const tally = new Tally(options.http);
  const startedAt = performance.now();
  broken();
  while (performance.now() - startedAt < brokenMs) {
    await tally.ask(options.probe.path);
  }
  const survived = !tally.isFailing;
  const fix = await sampleEdit(fixed, options);
  return {
    ...fix,
    failed: fix.failed + tally.failed,
    downMs: fix.downMs + tally.downMs,
    survived,
  };
}

/** Asks, and counts the failures. */
class Tally {
  failed = 0;
  downMs = 0;
  /** When the last failure was, by `performance.now()`; 0 before the first. */
  failedUntil = 0;
  isFailing = false;
  readonly #http: HttpClient;
  #failingSince = 0;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async ask(path: string, mayBeMissing = false): Promise<BenchAnswer & { ms: number }> {
    const askedAt = performance.now();
    const answer = await this.#http.get(path);
    const now = performance.now();
    const hasFailed = answer.status !== 200 && !(mayBeMissing && answer.status === 404);
    if (hasFailed) {
      this.#failingSince = this.isFailing ? this.#failingSince : askedAt;
      this.failed++;
      this.failedUntil = now;
    } else if (this.isFailing) {
      this.downMs += now - this.#failingSince;
    }
    this.isFailing = hasFailed;
    await delay(answer.status === 0 ? REFUSED_PAUSE_MS : PAUSE_MS);
    return { ...answer, ms: now - askedAt };
  }
}
