import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import catalog from '../../data/catalog.json';

export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json({ catalog });
}

countEvaluation('src/api/catalog/route.ts');
