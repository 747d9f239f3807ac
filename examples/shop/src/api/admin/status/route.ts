import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';

// For monitors: nobody is logged in, and no browser asks.
export const AUTHENTICATE = false;
export const CORS = false;

export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json({ status: 'open' });
}

countEvaluation('src/api/admin/status/route.ts');
