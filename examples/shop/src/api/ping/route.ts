import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';

export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json({ ping: 'pong' });
}

countEvaluation('src/api/ping/route.ts');
