import { countEvaluation } from '@lib/evaluations';
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { errorHandler } from '@medusajs/framework/http';
import { MedusaError } from '@medusajs/framework/utils';

const handleCoreError = errorHandler();

/** The shop says 403 where Medusa says 400; every other error is Medusa's to answer. */
export function handleError(
  error: MedusaError,
  req: MedusaRequest,
  res: MedusaResponse,
  next: MedusaNextFunction,
): void {
  if (error.type === MedusaError.Types.NOT_ALLOWED) {
    res.status(403).json({ type: error.type, message: error.message, handled_by: 'shop' });
    return;
  }
  handleCoreError(error, req, res, next);
}

countEvaluation('src/api/error-handler.ts');
