import { countEvaluation } from '@lib/evaluations';

export interface JournalEntry {
  seq: number;
  at: string;
  /** The file that did it. */
  by: string;
  /** Which version of that file: change it together with the code. */
  version: string;
  note: string;
}

interface Journal {
  lastSeq: number;
  entries: JournalEntry[];
}

declare global {
  var shopJournal: Journal | undefined;
}

const MAX_ENTRIES = 1000;

// On globalThis, because what happened must outlive the modules that made it happen.
globalThis.shopJournal ??= { lastSeq: 0, entries: [] };
const journal = globalThis.shopJournal;

export function record(entry: Pick<JournalEntry, 'by' | 'version' | 'note'>): void {
  journal.lastSeq += 1;
  journal.entries.push({ seq: journal.lastSeq, at: new Date().toISOString(), ...entry });
  if (journal.entries.length > MAX_ENTRIES) {
    journal.entries.shift();
  }
}

export function readJournal(filter: { after?: number; by?: string } = {}): JournalEntry[] {
  const { after = 0, by } = filter;
  return journal.entries.filter((entry) => entry.seq > after && (!by || entry.by === by));
}

countEvaluation('src/lib/journal.ts');
