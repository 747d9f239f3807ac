import type { Edit } from './edits.ts';
import { type Finding, Oracle, type OracleOptions } from './oracle.ts';

export interface Failure {
  history: Edit[];
  finding: Finding;
}

/** Repeats a history on fresh copies; at its end, compares with a fresh app if `needsFresh`. */
export async function replay(
  history: Edit[],
  { needsFresh = true, ...options }: OracleOptions & { needsFresh?: boolean },
): Promise<Finding | undefined> {
  const oracle = await Oracle.start({ ...options, freshEvery: Number.POSITIVE_INFINITY });
  try {
    for (const [index, edit] of history.entries()) {
      const isLast = index === history.length - 1;
      const finding = await oracle.step(isLast ? { ...edit, isHasty: false } : edit);
      if (finding) {
        return finding;
      }
    }
    return needsFresh ? ((await oracle.compareWithFresh()) ?? (await oracle.finish())) : undefined;
  } finally {
    await oracle.stop();
  }
}

/**
 * Finds the shortest history within the time that still fails (Zeller's ddmin). Tries the last few edits alone
 * first, since these mostly suffice.
 */
export async function shrink(
  failure: Failure,
  { limitMs, ...options }: OracleOptions & { limitMs: number },
): Promise<Failure> {
  const deadline = Date.now() + limitMs;
  let best = failure;

  async function fails(history: Edit[]): Promise<boolean> {
    if (history.length === 0 || history.length >= best.history.length || Date.now() > deadline) {
      return false;
    }
    const needsFresh = best.finding.against === 'fresh app';
    const finding = await replay(history, { ...options, needsFresh }).catch((error: unknown) => {
      options.log(`  ${history.length} edits: ${error}`);
      return undefined;
    });
    options.log(`  ${history.length} edits: ${finding ? finding.against : 'no difference'}`);
    if (finding) {
      best = { history: history.slice(0, finding.edits), finding };
    }
    return finding !== undefined;
  }

  const failing = failure.history.slice(0, failure.finding.edits);
  best = { history: failing, finding: failure.finding };
  for (let length = 1; length < failing.length; length *= 4) {
    if (await fails(failing.slice(-length))) {
      break;
    }
  }
  let parts = 2;
  while (best.history.length >= 2 && Date.now() < deadline) {
    const { history } = best;
    const size = Math.ceil(history.length / parts);
    let isSmaller = false;
    for (let at = 0; at < history.length && !isSmaller; at += size) {
      isSmaller = await fails([...history.slice(0, at), ...history.slice(at + size)]);
    }
    if (isSmaller) {
      parts = Math.max(parts - 1, 2);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(parts * 2, history.length);
    }
  }
  return best;
}

/** Describes a failure with everything needed to repeat it. */
export function describe({ history, finding }: Failure): string {
  return [
    `After ${history.length} edits, against ${finding.against}:`,
    ...finding.lines,
    '',
    'The history:',
    ...history.map((edit) => JSON.stringify(edit)),
    '',
    'The app printed last:',
    finding.output,
  ].join('\n');
}
