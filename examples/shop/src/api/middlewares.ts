import { countEvaluation } from '@lib/evaluations';
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { defineMiddlewares, validateAndTransformBody } from '@medusajs/framework/http';
import { handleError } from './error-handler';
import { Announcement, BrandChange, NewBrand, ProductExtra } from './validators';

function stampVersion(_req: MedusaRequest, res: MedusaResponse, next: MedusaNextFunction): void {
  res.setHeader('x-shop', 'v1');
  next();
}

export default defineMiddlewares({
  routes: [
    { matcher: '/*', middlewares: [stampVersion] },
    {
      matcher: '/announce',
      methods: ['POST'],
      middlewares: [validateAndTransformBody(Announcement)],
    },
    {
      matcher: '/admin/brands',
      methods: ['POST'],
      middlewares: [validateAndTransformBody(NewBrand)],
    },
    {
      matcher: '/admin/brands/:id',
      methods: ['POST'],
      middlewares: [validateAndTransformBody(BrandChange)],
    },
    { matcher: '/admin/products', methods: ['POST'], additionalDataValidator: ProductExtra },
  ],
  errorHandler: handleError,
});

countEvaluation('src/api/middlewares.ts');
