import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import type { SubscriberArgs, SubscriberConfig } from '@medusajs/framework';
import { Modules } from '@medusajs/framework/utils';

const by = 'src/subscribers/product-created.ts';

export default async function onProductCreated({
  event,
  container,
}: SubscriberArgs<{ id: string }>): Promise<void> {
  const product = await container.resolve(Modules.PRODUCT).retrieveProduct(event.data.id);
  record({ by, version: 'v1', note: product.title });
}

export const config: SubscriberConfig = {
  event: 'product.created',
};

countEvaluation(by);
