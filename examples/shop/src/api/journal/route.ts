import { countEvaluation } from '@lib/evaluations';
import { readJournal } from '@lib/journal';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';

/** What subscribers, jobs, hooks, steps and providers did: `?after=<seq>&by=<file>`. */
export function GET(req: MedusaRequest, res: MedusaResponse): void {
  const { after, by } = req.query;
  res.json({
    pid: process.pid,
    entries: readJournal({ after: Number(after ?? 0), by: by ? String(by) : undefined }),
  });
}

countEvaluation('src/api/journal/route.ts');
