import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { MedusaError } from '@medusajs/framework/utils';

export function GET(_req: MedusaRequest, _res: MedusaResponse): void {
  throw new MedusaError(MedusaError.Types.NOT_ALLOWED, 'This shop gives no refunds.');
}

countEvaluation('src/api/refund/route.ts');
