import { defineConfig, loadEnv } from '@medusajs/framework/utils';
import { brandOptions } from './config/brand-options';
import { notificationProviders } from './config/notification-providers';

loadEnv(process.env.NODE_ENV || 'development', process.cwd());

module.exports = defineConfig({
  featureFlags: { backend_hmr: true },
  admin: {
    disable: process.env.DISABLE_MEDUSA_ADMIN === 'true',
  },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL || 'postgres://localhost/medusa-shop',
    http: {
      storeCors: process.env.STORE_CORS || 'http://localhost:8000',
      adminCors: process.env.ADMIN_CORS || 'http://localhost:5173,http://localhost:9000',
      authCors: process.env.AUTH_CORS || 'http://localhost:5173,http://localhost:9000',
      jwtSecret: process.env.JWT_SECRET || 'supersecret',
      cookieSecret: process.env.COOKIE_SECRET || 'supersecret',
    },
  },
  modules: [
    { resolve: './src/modules/brand', options: brandOptions() },
    {
      resolve: '@medusajs/medusa/notification',
      options: { providers: notificationProviders },
    },
  ],
});
