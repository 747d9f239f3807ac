import type { FlagSettings } from '@medusajs/framework/feature-flags';

const loudGreetings: FlagSettings = {
  key: 'loud_greetings',
  default_val: false,
  env_key: 'SHOP_FF_LOUD_GREETINGS',
  description: 'Greet in capital letters.',
};

export default loudGreetings;
