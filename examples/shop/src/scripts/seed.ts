import type { ExecArgs, MedusaContainer } from '@medusajs/framework/types';
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils';
import {
  createApiKeysWorkflow,
  createProductsWorkflow,
  createRegionsWorkflow,
  createSalesChannelsWorkflow,
  createUserAccountWorkflow,
  linkSalesChannelsToApiKeyWorkflow,
} from '@medusajs/medusa/core-flows';
import { BRAND_MODULE } from '../modules/brand';
import type BrandModuleService from '../modules/brand/service';
import { createBrandWorkflow } from '../workflows/create-brand/workflow';

const PRODUCTS = [
  { title: 'Anvil', handle: 'anvil', price: 49 },
  { title: 'Lantern', handle: 'lantern', price: 19 },
];

const BRANDS = [
  { name: 'acme', country: 'us', product: 'anvil' },
  { name: 'northern light', country: 'no', product: 'lantern' },
];

/** Brings an empty database to the state that README.md describes; run again, it changes nothing. */
export default async function seed({ container }: ExecArgs): Promise<void> {
  await ensureRegion(container);
  await ensureAdmin(container);
  const channelId = await ensureSalesChannel(container);
  await ensureProducts(container, channelId);
  await ensureBrands(container);
  const key = await ensurePublishableKey(container, channelId);
  container.resolve(ContainerRegistrationKeys.LOGGER).info('The shop is seeded.');
  console.log(`SHOP_PUBLISHABLE_KEY=${key}`);
}

async function ensureRegion(container: MedusaContainer): Promise<void> {
  const [region] = await container.resolve(Modules.REGION).listRegions({ name: 'Europe' });
  if (!region) {
    await createRegionsWorkflow(container).run({
      input: { regions: [{ name: 'Europe', currency_code: 'eur', countries: ['de', 'fr'] }] },
    });
  }
}

async function ensureAdmin(container: MedusaContainer): Promise<void> {
  const email = process.env.SHOP_ADMIN_EMAIL || 'admin@shop.test';
  const password = process.env.SHOP_ADMIN_PASSWORD || 'supersecret';
  const [user] = await container.resolve(Modules.USER).listUsers({ email });
  if (user) {
    return;
  }
  const { authIdentity, error } = await container
    .resolve(Modules.AUTH)
    .register('emailpass', { body: { email, password } });
  if (!authIdentity) {
    throw new Error(`The admin user \`${email}\` cannot be registered: ${error}`);
  }
  await createUserAccountWorkflow(container).run({
    input: { authIdentityId: authIdentity.id, userData: { email } },
  });
}

async function ensureSalesChannel(container: MedusaContainer): Promise<string> {
  const name = 'Web';
  const [channel] = await container.resolve(Modules.SALES_CHANNEL).listSalesChannels({ name });
  if (channel) {
    return channel.id;
  }
  const { result } = await createSalesChannelsWorkflow(container).run({
    input: { salesChannelsData: [{ name }] },
  });
  return String(result[0]?.id);
}

async function ensureProducts(container: MedusaContainer, channelId: string): Promise<void> {
  const existing = await productIds(container);
  const missing = PRODUCTS.filter(({ handle }) => !existing.has(handle));
  if (!missing.length) {
    return;
  }
  await createProductsWorkflow(container).run({
    input: {
      products: missing.map(({ title, handle, price }) => ({
        title,
        handle,
        status: 'published',
        sales_channels: [{ id: channelId }],
        options: [{ title: 'Size', values: ['One'] }],
        variants: [
          {
            title: 'One',
            options: { Size: 'One' },
            manage_inventory: false,
            prices: [{ currency_code: 'eur', amount: price }],
          },
        ],
      })),
    },
  });
}

async function ensureBrands(container: MedusaContainer): Promise<void> {
  const existing = await container.resolve<BrandModuleService>(BRAND_MODULE).listBrands();
  const names = new Set(existing.map(({ name }) => name));
  const ids = await productIds(container);
  for (const { name, country, product } of BRANDS) {
    const id = ids.get(product);
    if (!names.has(name) && id) {
      await createBrandWorkflow(container).run({ input: { name, country, product_ids: [id] } });
    }
  }
}

async function ensurePublishableKey(
  container: MedusaContainer,
  channelId: string,
): Promise<string> {
  const title = 'Web';
  const [existing] = await container
    .resolve(Modules.API_KEY)
    .listApiKeys({ title, type: 'publishable' });
  if (existing) {
    return existing.token;
  }
  const { result } = await createApiKeysWorkflow(container).run({
    input: { api_keys: [{ title, type: 'publishable', created_by: '' }] },
  });
  const key = result[0];
  if (!key) {
    throw new Error('The publishable key was not created.');
  }
  await linkSalesChannelsToApiKeyWorkflow(container).run({
    input: { id: key.id, add: [channelId] },
  });
  return key.token;
}

async function productIds(container: MedusaContainer): Promise<Map<string, string>> {
  const products = await container
    .resolve(Modules.PRODUCT)
    .listProducts({ handle: PRODUCTS.map(({ handle }) => handle) });
  return new Map(products.map(({ id, handle }) => [handle, id]));
}
