import { type Edit, randomEdit } from './edits.ts';
import { Oracle, type OracleOptions, type Statistics } from './oracle.ts';
import { Random } from './random.ts';
import type { Failure } from './shrink.ts';

export interface RunOptions extends OracleOptions {
  seed: number;
  edits: number;
  /** Makes no further edits after this time; the edits made so far are still compared. */
  limitMs?: number;
}

export interface RunResult {
  failure: Failure | undefined;
  statistics: Statistics;
}

/** Makes random edits until one shows a difference. */
export async function run({ seed, edits, limitMs, ...options }: RunOptions): Promise<RunResult> {
  const random = new Random(seed);
  const history: Edit[] = [];
  const oracle = await Oracle.start(options);
  const deadline = Date.now() + (limitMs ?? Number.POSITIVE_INFINITY);
  try {
    while (history.length < edits && Date.now() < deadline) {
      const edit = randomEdit(oracle.model, random);
      const isLast = history.length === edits - 1;
      const made = isLast ? { ...edit, isHasty: false } : edit;
      history.push(made);
      const finding = await oracle.step(made);
      if (finding) {
        return { failure: { history, finding }, statistics: oracle.statistics };
      }
      if (history.length % 50 === 0) {
        options.log(`${history.length} edits: ${JSON.stringify(oracle.statistics)}`);
      }
    }
    const finding = (await oracle.compareWithFresh()) ?? (await oracle.finish());
    return { failure: finding && { history, finding }, statistics: oracle.statistics };
  } finally {
    await oracle.stop();
  }
}
