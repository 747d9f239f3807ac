import { countEvaluation } from '@lib/evaluations';
import { greet } from '@lib/greeting';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { FeatureFlag } from '@medusajs/framework/utils';

export function GET(req: MedusaRequest, res: MedusaResponse): void {
  const greeting = greet(String(req.query.name ?? 'world'));
  const isLoud = FeatureFlag.isFeatureEnabled('loud_greetings');
  res.json({ greeting: isLoud ? greeting.toUpperCase() : greeting });
}

countEvaluation('src/api/greeting/route.ts');
