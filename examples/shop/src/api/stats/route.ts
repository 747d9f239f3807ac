import { countEvaluation, listEvaluations } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';

/** How often each file was evaluated in this process. */
export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json({
    pid: process.pid,
    heap_used: process.memoryUsage().heapUsed,
    evaluations: listEvaluations(),
  });
}

countEvaluation('src/api/stats/route.ts');
